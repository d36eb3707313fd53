"""Judges what is on this machine: the state folder, the log folder, ``xio sync``. Pure."""

from collections.abc import Callable, Iterator
from typing import Final

from xio_slurm.desk.doctor.finding import Area, Finding, error, warning
from xio_slurm.desk.doctor.seen import Folder, Seen, known
from xio_slurm.desk.looks import Unseen
from xio_slurm.plain_text import listed

_FULL: Final = 256 * 1024
_TIGHT: Final = 64 * 1024 * 1024
"""Bytes: a node's entry and its lock are two blocks; a busy day's log is some MiB."""

_FEW_FILES: Final = 100


def state(seen: Seen) -> Iterator[Finding]:
    """Can the programs write the ledger?"""
    yield from _folder(known(seen.state), _slurm_user(seen), "700", Area.STATE, "no VM is made", lost=error)


def log(seen: Seen) -> Iterator[Finding]:
    """Can the programs write their log and their events?"""
    yield from _folder(known(seen.log), _slurm_user(seen), "750", Area.LOG, "what they do isn't told", lost=warning)


def sync(seen: Seen) -> Iterator[Finding]:
    """Is xio sync at work?"""
    last = known(seen.heartbeat)
    mend = "systemctl enable --now xio-sync, and journalctl -u xio-sync"
    if last is None:
        what = "xio sync isn't running: nobody deletes lost VMs, and no closed pool is opened again"
        yield warning(Area.SYNC, what, mend)
    elif not last.is_alive(seen.time):
        minutes = (seen.time - last.time) / 60
        what = f"xio sync has stopped: its last pass, on {last.host}, was {minutes:.0f} minutes ago"
        yield error(Area.SYNC, what, mend)


def _folder(
    folder: Folder, user: str | None, mode: str, area: Area, so: str, *, lost: Callable[[Area, str, str], Finding]
) -> Iterator[Finding]:
    path = folder.path
    if folder.problem is not None:
        yield lost(area, f"{path}: {folder.problem}: {so}", f"install -d -o {user or 'SLURMUSER'} -m {mode} {path}")
        return
    if user is not None and folder.owner != user:
        yield lost(area, f"{path}: is {folder.owner}'s, not SlurmUser {user}'s: {so}", f"chown -R {user} {path}")
    elif not folder.writable:
        yield lost(area, f"{path}: can't be written: {so}", f"chmod {mode} {path}; is its file system read-only?")
    if folder.others:
        what = f"{listed(folder.others)}: not of {folder.owner}, who must write it"
        yield lost(area, what, f"chown -R {folder.owner} {path}")
    free, files = folder.free, folder.files
    room = f"df {path}; df -i {path}; make room"
    if free < _FULL or files == 0:
        yield lost(area, f"{path}: is full ({_amount(free, files)} free): {so}", room)
    elif free < _TIGHT or (files is not None and files < _FEW_FILES):
        yield warning(area, f"{path}: is nearly full ({_amount(free, files)} free)", room)


def _amount(free: int, files: int | None) -> str:
    room = f"{free // 1024**2} MiB" if free >= 1024**2 else f"{free // 1024} KiB"
    return room if files is None or files >= _FEW_FILES else f"{room}, {files} files"


def _slurm_user(seen: Seen) -> str | None:
    if isinstance(seen.conf, Unseen):
        return None
    return seen.conf.get("SlurmUser") or "root"
