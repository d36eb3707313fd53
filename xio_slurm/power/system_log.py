"""The log's lines in syslog, and so in systemd's journal: a line that can't be sent is lost, and nothing else.

Not by libc's syslog(3): that waits for as long as the one who should read is full or stopped.
"""

import logging
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

SOCKET: Final = Path("/dev/log")

_DAEMON: Final = 3 << 3
"""The facility."""

_SEVERITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG: Final = 7
_LONGEST: Final = 8000
"""Bytes of a message: daemons take 8 KiB."""


class SystemLog(logging.Handler):
    """Sends each line as one datagram, under the program's name."""

    def __init__(self, program: str, path: Path = SOCKET) -> None:
        super().__init__()
        self._program = program
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        """Send a line. The daemon can come and go, so it is looked for each time: lines are few."""
        with suppress(OSError, ValueError, TypeError):
            severity = next((number for level, number in _SEVERITIES if record.levelno >= level), _DEBUG)
            stamp = time.strftime("%b %e %H:%M:%S", time.localtime(record.created))
            head = f"<{_DAEMON | severity}>{stamp} {self._program}[{os.getpid()}]: "
            words = " ".join(self.format(record).split())
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as end:
                end.connect(str(self._path))
                end.send((head + words).encode(errors="replace")[:_LONGEST])
