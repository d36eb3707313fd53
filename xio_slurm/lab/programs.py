"""Finds the Slurm that a lab uses."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xio_slurm.errors import LabError

_PACKAGES: Final = {
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "srun": "slurm-client",
    "scontrol": "slurm-client",
    "sinfo": "slurm-client",
    "munged": "munge",
}
"""Program → the Debian package that brings it."""

_SBIN: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where daemons are that a person's PATH doesn't show."""

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.\S+)?")


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of a lab: ``path`` is a PATH that finds all of them, ``version`` Slurm's release (22, 5)."""

    slurmctld: Path
    scontrol: Path
    munged: Path
    version: tuple[int, int]
    version_text: str
    path: str

    @property
    def bin_dir(self) -> Path:
        """The folder of Slurm's commands."""
        return self.scontrol.parent


def find(prefix: Path | None) -> Programs:
    """The Slurm in ``prefix/bin`` and ``prefix/sbin``, or the machine's. munged is always the machine's.

    Raises LabError that names every package that is missing.
    """
    machine = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SBIN))
    slurm = machine if prefix is None else f"{prefix / 'bin'}{os.pathsep}{prefix / 'sbin'}"
    found = {name: shutil.which(name, path=machine if name == "munged" else slurm) for name in _PACKAGES}
    missing = [name for name, path in found.items() if path is None]
    if missing and prefix is not None and missing != ["munged"]:
        raise LabError(f"{prefix}: there is no {' or '.join(missing)} in its bin or sbin")
    if missing:
        packages = dict.fromkeys(_PACKAGES[name] for name in missing)
        raise LabError(f"{', '.join(missing)} missing on this machine: apt-get install {' '.join(packages)}")
    paths = {name: Path(path) for name, path in found.items() if path is not None}
    text = _version_of(paths["slurmctld"])
    release = _VERSION.fullmatch(text)
    if release is None:
        raise LabError(f"{paths['slurmctld']} -V says {text!r}: this is no version of Slurm that can be read")
    return Programs(
        slurmctld=paths["slurmctld"],
        scontrol=paths["scontrol"],
        munged=paths["munged"],
        version=(int(release[1]), int(release[2])),
        version_text=text,
        path=_path_of(paths.values()),
    )


def _version_of(slurmctld: Path) -> str:
    try:
        answer = subprocess.run((slurmctld, "-V"), capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise LabError(f"{slurmctld} can't be run: {error}") from error
    words = answer.stdout.split()  # "slurm-wlm 22.05.8" on Debian, "slurm 24.11.5" elsewhere
    return words[-1] if words else ""


def _path_of(programs: Iterable[Path]) -> str:
    folders = [str(program.parent) for program in programs]
    return os.pathsep.join(dict.fromkeys([*folders, "/usr/local/bin", "/usr/bin", "/bin", *_SBIN]))
