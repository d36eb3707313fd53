"""The locks of the state folder: a file each, locked by flock(2) until it is released or its process ends.

filelock does the same, and the commands of deploy time use it. At run time it cost a tenth of a program's start to load
and, for each node, more than the request.
"""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from xio_slurm.deadline import Deadline

_PAUSE: Final = 0.02
"""Seconds from one try to the next: flock can wait, but not for so long and no longer."""

_HELD: Final = (BlockingIOError, PermissionError)
"""How file systems say that another holds it: EAGAIN, and some of them EACCES."""


class LockFile:
    """A lock that is held."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Let it go, also where a process that was started just now still has the descriptor."""
        with suppress(OSError):  # a file server that is gone: what was done under the lock is done
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        with suppress(OSError):
            os.close(self._descriptor)


def lock(path: Path, deadline: Deadline) -> LockFile | None:
    """Lock a file, which is made where it is missing; None where another holds it until the deadline.

    It is tried once in any case.
    Raises OSError where nobody can: no such folder, no right, no space, a file system without locks.
    """
    while True:
        # Opened anew for each try: who removes locks while they are held doesn't have us wait for a file that is gone.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if not isinstance(error, _HELD):
                raise
        else:
            return LockFile(descriptor)
        if deadline.passed():
            return None
        time.sleep(min(_PAUSE, deadline.left()))
