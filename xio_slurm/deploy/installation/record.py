"""The record of an installation: what was put where, and what was there before."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from xio_slurm.errors import DeployError
from xio_slurm.small_file import read_small_text

_VERSION: Final = 1
_MOST: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Put:
    """A file of ours. ``ours`` is the SHA-256 of what was put; None where 'xio apply' writes it.

    ``before`` is the SHA-256 of what was there before (``link:`` and its target for a link), None where there was
    nothing; ``backup`` is where that is kept.
    """

    path: str
    ours: str | None
    before: str | None
    backup: str | None


@dataclass(frozen=True, slots=True)
class Installed:
    """``code`` is a digest of the package that was installed; ``folders`` are those that were made.

    ``service``: systemd has the unit. ``service_before``: it had one, enabled, before us. ``included``: slurm.conf
    had our include line before us.
    """

    layout: str
    version: str
    code: str
    interpreter: str
    programs: str
    manifest: str
    slurm_conf: str
    slurm_bin_dir: str
    state_dir: str
    log_dir: str
    service: bool
    service_before: bool
    included: bool
    folders: tuple[str, ...]
    files: tuple[Put, ...]

    @property
    def puts(self) -> Mapping[str, Put]:
        """Its files by path."""
        return {put.path: put for put in self.files}

    def to_json(self) -> str:
        """The file's text."""
        return json.dumps({"record": _VERSION, **asdict(self)}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The record in a file; None where there is none. Raises DeployError for one that can't be read."""
        if not path.exists():
            return None
        text = read_small_text(path, "the record of the installation", _MOST, DeployError)
        try:
            known: dict[str, Any] = json.loads(text)
            if known.pop("record") != _VERSION:
                raise DeployError(f"{path}: is of another version of xio-slurm: use the one that installed")
            known["files"] = tuple(Put(**put) for put in known["files"])
            known["folders"] = tuple(known["folders"])
            return cls(**known)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DeployError(f"{path}: is no record of an installation ({type(error).__name__})") from error
