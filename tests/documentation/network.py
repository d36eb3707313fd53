"""The network of a machine of its own: loopback, and nothing besides."""

import fcntl
import socket
import struct
from typing import Final

_SIOCSIFADDR: Final = 0x8916
_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP: Final = 0x1
_ADDRESS: Final = "10.0.0.1"


def loopback() -> None:
    """Bring it up: in a new network namespace it is down, and ``ip`` isn't on every machine.

    It gets a second address: with 127.0.0.1 alone a machine has no network for getaddrinfo's AI_ADDRCONFIG, which
    Slurm's daemons listen by.
    """
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))
        address = struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(_ADDRESS))
        fcntl.ioctl(any_socket, _SIOCSIFADDR, address)
