"""The EMS's network: a relay in front of the emulator, which goes away as a server that restarts does.

A real EMS that restarts leaves its VMs alone, which are on other machines; the emulator's would end with it.
"""

import socket
import threading
from contextlib import suppress
from typing import Self

_BACKLOG = 128
_CHUNK = 65536


class Door:
    """Takes connections on a port of its own and relays them, while it is open."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._server: socket.socket | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where clients reach the EMS."""
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        """Listen, on the same port as before."""
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", self.port))
        server.listen(_BACKLOG)
        self.port = server.getsockname()[1]
        self._server = server
        threading.Thread(target=self._serve, args=(server,), daemon=True).start()

    def close(self) -> None:
        """Refuse connections, and end those that there are in the middle of whatever they do."""
        with self._lock:
            server, self._server = self._server, None
            ended, self._connections = self._connections, set()
        for connection in (*([server] if server else ()), *ended):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _serve(self, server: socket.socket) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = server.accept()
                threading.Thread(target=self._relay, args=(server, client), daemon=True).start()

    def _relay(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self._target)) as ems:
            with self._lock:
                if self._server is not server:
                    return
                self._connections |= {client, ems}
            back = threading.Thread(target=_copy, args=(ems, client), daemon=True)
            back.start()
            _copy(client, ems)
            back.join()
            with self._lock:
                self._connections -= {client, ems}


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Until either end is gone; then both learn it, a reset as a reset would be."""
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    for end, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
        with suppress(OSError):
            end.shutdown(how)
