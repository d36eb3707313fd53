"""The programs' log, to which a line that can't be written is lost, and nothing else."""

import logging
import os
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler


class LogFile(WatchedFileHandler):
    """Appends to a file, anew where somebody rotates it away. No link is followed: it could lead to any file."""

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return open(os.open(self.baseFilename, flags, 0o644), "a", encoding=self.encoding)  # noqa: PTH123

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line. The folder may have gone, or be another user's, since the last."""
        with suppress(OSError):
            super().emit(record)
