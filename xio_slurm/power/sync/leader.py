"""One sync leads: it holds ``<state folder>/sync.lock`` for as long as it lives, and another stands by."""

from pathlib import Path
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.errors import LedgerUnusable
from xio_slurm.lock_file import LockFile, lock
from xio_slurm.power import heartbeat

_FILE: Final = "sync.lock"


class Leader:
    """Whether this process leads. The lock ends with the process, however that ends."""

    def __init__(self) -> None:
        self._lock: LockFile | None = None
        self._state_dir = ""

    def leads(self, state_dir: str) -> bool:
        """Whether we lead there, or do now. Raises LedgerUnusable where nobody can."""
        if self._lock is not None and self._state_dir == state_dir:
            return True
        self.resign()
        try:
            self._lock = lock(Path(state_dir) / _FILE, Deadline.after(0))
        except OSError as error:
            raise LedgerUnusable(f"{state_dir}/{_FILE}: can't be locked: {error.strerror}: see to StateDir") from error
        self._state_dir = state_dir
        return self._lock is not None

    def resign(self) -> None:
        """Let another lead."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def who_leads(state_dir: str) -> str:
    """The leader in words, by its last sign of life."""
    last = heartbeat.read(state_dir)
    return f"process {last.pid} on {last.host}" if last is not None else "another process"
