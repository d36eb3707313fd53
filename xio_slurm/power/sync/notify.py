"""Tells systemd how the service is (sd_notify(3)): one datagram to the socket that it names."""

import os
import socket
from contextlib import suppress
from typing import Final

_SECONDS: Final = 1.0


def notify(*states: str) -> None:
    """Send ``READY=1``, ``WATCHDOG=1``, ``STATUS=…``. Where systemd didn't start us, nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.settimeout(_SECONDS)
        channel.sendto("\n".join(states).encode(), f"\0{address[1:]}" if address[0] == "@" else address)
