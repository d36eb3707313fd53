"""The folder of a lab: made, locked, recognised and removed. Nothing that isn't a lab's is ever touched."""

import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from xio_slurm.errors import LabError
from xio_slurm.lab import processes
from xio_slurm.lab.account import Account
from xio_slurm.lab.layout import Layout

_PLAIN: Final = re.compile(r"/[A-Za-z0-9_./+@-]+")
"""What slurm.conf takes for a path without any quoting."""

_REMOVALS: Final = 5


def default_folder() -> Path:
    """The place of this user's lab where no other is named. Short: sockets' paths are."""
    return Path(f"/tmp/xio-lab-{os.getuid()}")  # noqa: S108  its owner is checked, and it is no symbolic link


def checked(folder: Path) -> Path:
    """The folder's absolute path, once for all. Raises LabError unless it is ours to use, or not there."""
    if folder.is_symlink():
        raise LabError(f"{folder}: is a symbolic link: name the folder itself")
    folder = folder.absolute().parent.resolve() / folder.name
    if not _PLAIN.fullmatch(str(folder)):
        raise LabError(f"{str(folder)!r}: Slurm needs a path of letters, digits and ._+@- alone: choose another folder")
    with suppress(FileNotFoundError):
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode):
            raise LabError(f"{folder}: is not a folder")
        if status.st_uid != os.getuid():
            raise LabError(f"{folder}: belongs to user {status.st_uid}: choose another folder")
    return folder


def is_lab(folder: Path) -> bool:
    """Whether the folder was made by a lab, whatever became of it."""
    return Layout(folder).mark.is_file()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other ``up`` and ``down`` of this folder away. Raises LabError if one is at work."""
    lock = FileLock(Layout(folder).lock, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout as error:
        raise LabError(f"{folder}: another 'xio lab up' or 'down' is at work there: wait for it") from error
    except OSError as error:
        raise LabError(f"{folder}: can't be used: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


def make(folder: Path) -> None:
    """Make the folder and mark it as a lab's. Raises LabError when it holds something else."""
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not is_lab(folder) and any(folder.iterdir()):
            raise LabError(f"{folder}: holds files that are no lab's: choose an empty or new folder")
        folder.chmod(0o755)
        Layout(folder).mark.touch(mode=0o644)
    except OSError as error:
        raise LabError(f"{folder}: can't be made: {error.strerror}") from error


def furnish(layout: Layout, account: Account) -> None:
    """Make the folders inside, each its writer's. Raises LabError if SlurmUser can't reach them."""
    _check_reachable(layout.folder, account)
    for folder in (layout.etc, layout.bin, layout.munge, layout.spool, layout.vms):
        folder.mkdir()
        folder.chmod(0o755)  # whatever the umask is
    for folder in (layout.run, layout.log, layout.slurm_state, layout.ledger):
        folder.mkdir()
        folder.chmod(0o755)
        os.chown(folder, account.uid, account.gid)


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file of the lab with that mode, whatever the umask is."""
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def empty(folder: Path) -> None:
    """Remove what an earlier lab left in the folder; mark and lock stay."""
    layout = Layout(folder)
    for path in folder.iterdir():
        if path in {layout.mark, layout.lock}:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def remove(folder: Path) -> bool:
    """End every process of the lab and remove its folder; whether there was one.

    Works on whatever an ``up`` left that was killed. Raises LabError for a folder that is no lab's, and if something
    resists.
    """
    if not folder.exists():
        # Its processes may have outlived it, if somebody else removed it.
        return processes.end(folder) > 0
    if not is_lab(folder):
        raise LabError(f"{folder}: is no lab's folder: nothing was touched")
    with locked(folder):
        processes.end(folder)
        remove_tree(folder)
    return True


def remove_tree(folder: Path) -> None:
    """Remove the folder with all that is in it. Raises LabError if it resists."""
    for attempt in range(_REMOVALS):
        try:
            empty(folder)
            shutil.rmtree(folder)
        except FileNotFoundError:
            return
        except OSError as error:
            if attempt == _REMOVALS - 1:
                raise LabError(f"{folder}: can't be removed: {error.strerror} ({error.filename})") from error
            time.sleep(0.2)  # a process that has just ended may have written still
        else:
            return


def _check_reachable(folder: Path, account: Account) -> None:
    if account.uid == os.getuid():
        return
    for parent in folder.parents:
        if not parent.stat().st_mode & stat.S_IXOTH:
            raise LabError(f"{folder}: user {account.slurm_user} can't enter {parent}: choose a folder below /tmp")
