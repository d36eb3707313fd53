"""Folders that are SlurmUser's, where root runs the tests."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

SLURM_USER = "nobody"


class _Site(Protocol):
    folder: Path

    def change(self, **changes: Any) -> None: ...


@contextmanager
def moved_to_slurm_user(site: _Site) -> Iterator[None]:
    """Give a site state and log folders that are SlurmUser's, in a place that it can reach."""
    user = pwd.getpwnam(SLURM_USER)
    folder = Path(tempfile.mkdtemp(prefix="xio-slurm-user-"))
    folder.chmod(0o755)
    for name in ("state", "log"):
        (folder / name).mkdir(mode=0o700)
        os.chown(folder / name, user.pw_uid, user.pw_gid)
    site.folder = folder
    site.change(state_dir=str(folder / "state"), log_dir=str(folder / "log"))
    (folder / "manifest.json").chmod(0o644)
    yield
    shutil.rmtree(folder)
