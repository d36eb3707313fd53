"""The programs' log: a line that can't be written is lost, and nothing else."""

import errno
import logging
import os
import stat
from contextlib import suppress
from pathlib import Path


class LogFile(logging.Handler):
    """Appends to a file, which is opened for each line: so nobody needs to be told when it is rotated.

    Raises OSError where it can't be written to from the beginning.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        os.close(self._opened())

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line. The folder may have gone, or be another user's, since the last."""
        try:
            line = f"{self.format(record)}\n".encode(errors="backslashreplace")
        except Exception:
            self.handleError(record)
            return
        with suppress(OSError):
            descriptor = self._opened()
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)

    def _opened(self) -> int:
        # No link is followed: it could lead to any file. Nor is there anything to wait for where the name is a pipe's.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(self._path, flags, 0o644)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "isn't a plain file", str(self._path))
        return descriptor
