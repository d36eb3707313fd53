"""Replaces a file that somebody else owns: whole or not at all, with a backup, and all that hangs on it kept."""

import os
import re
import stat
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from xio_slurm.deploy.publish import sync_folder
from xio_slurm.errors import DeployError

_BACKUP: Final = ".xio-"
"""Between the file's name and the time: not ``.conf`` at the end, since programs take a folder's ``*.conf``."""


_OLD_SECONDS: Final = 600.0
_MOUNTS: Final = Path("/proc/self/mountinfo")
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


def is_mount_point(path: Path) -> bool:
    """Whether something is mounted at the file itself, as containers do: nothing can be renamed to its place."""
    try:
        mounts = _MOUNTS.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return path.is_mount()
    points = (line.split(" ")[4] for line in mounts)
    return str(path) in {_OCTAL.sub(lambda code: chr(int(code[1], 8)), point) for point in points}


def replace_file(path: Path, old: bytes, new: bytes) -> Path:
    """Put ``new`` in the place of ``old``; the path of the backup, which is beside the file.

    A symbolic link stays, and the file that it leads to is replaced. Mode, owner, group and extended attributes are
    kept (of the latter those that the system lets us set). Whatever ends us in between leaves the old file whole.
    Raises DeployError where it isn't ``old`` any more, and OSError.
    """
    real = Path(os.path.realpath(path))
    _check(real, old)
    backup = _backup(real, old)
    partial = _copy(real, new)
    try:
        _check(real, old)
        partial.replace(real)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(real.parent)
    return backup


def backups(real: Path) -> list[Path]:
    """Those that were made of a file so far. Raises OSError."""
    prefix = f"{real.name}{_BACKUP}"
    return [
        path
        for path in real.parent.iterdir()
        if path.name.startswith(prefix) and not path.is_symlink() and path.is_file()
    ]


def _check(real: Path, content: bytes) -> None:
    if real.read_bytes() != content:
        raise DeployError(f"{real}: somebody has changed it just now: run this again")


def _backup(real: Path, content: bytes) -> Path:
    """The file's backup. A run that was ended after its backup has left one that will do."""
    for candidate in backups(real):
        with suppress(OSError):
            if candidate.read_bytes() == content:
                return candidate
    backup = real.with_name(f"{real.name}{_BACKUP}{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    _copy(real, content).replace(backup)
    return backup


def _copy(real: Path, content: bytes) -> Path:
    """A new file beside the real one, with this content, on disk; in all else like it."""
    prefix = f".{real.name}.xio-partial-"
    _remove_old(real.parent, prefix)
    # A name of its own: two runs could be at the same file.
    descriptor, name = tempfile.mkstemp(prefix=prefix, dir=real.parent)
    partial = Path(name)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  a descriptor, not a path
            file.write(content)
            _take_after(real, descriptor)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        with suppress(OSError):  # the first error is the one to tell
            partial.unlink(missing_ok=True)
        raise
    return partial


def _remove_old(folder: Path, prefix: str) -> None:
    """Those that runs left which were killed; another run's own is younger."""
    for path in folder.iterdir():
        if path.name.startswith(prefix):
            with suppress(OSError):
                if time.time() - path.lstat().st_mtime > _OLD_SECONDS:
                    path.unlink()


def _take_after(real: Path, descriptor: int) -> None:
    like, own = real.stat(), os.fstat(descriptor)
    if (like.st_uid, like.st_gid) != (own.st_uid, own.st_gid):
        os.fchown(descriptor, like.st_uid, like.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
    with suppress(OSError):  # not every file system has any
        for name in os.listxattr(real):
            with suppress(OSError):  # some are the system's alone to set
                os.setxattr(descriptor, name, os.getxattr(real, name))
