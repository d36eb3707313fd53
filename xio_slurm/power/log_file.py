"""The programs' log: a line that can't be written is lost, and nothing else."""

import errno
import logging
import os
import stat
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler


class LogFile(WatchedFileHandler):
    """Appends to a file, anew where somebody rotates it away. No link is followed: it could lead to any file."""

    def _open(self) -> TextIOWrapper:
        # Nor is there anything to wait for where the name is a pipe's.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(self.baseFilename, flags, 0o644)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "isn't a plain file", self.baseFilename)
        return open(descriptor, "a", encoding=self.encoding)  # noqa: PTH123

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line. The folder may have gone, or be another user's, since the last."""
        with suppress(OSError):
            super().emit(record)
