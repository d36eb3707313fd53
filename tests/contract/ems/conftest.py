"""An EMS that speaks TLS, certificates of every kind, and what can stand between it and a client."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from msgspec import structs

from xio_slurm.ems.transport import Transport
from xio_slurm.emulator import Emulator
from xio_slurm.manifest import Tls

NOW = datetime.now(UTC)
NAME = "ExostellarHeadNode"


@dataclass(frozen=True)
class Certificates:
    """A folder as the emulator takes it, and the authority that signed what is there."""

    folder: Path
    authority: trustme.CA

    @classmethod
    def make(
        cls, folder: Path, *, name: str = NAME, server_days: float = 365, client_days: float = 365
    ) -> "Certificates":
        """Certificates for so many days from now, below 0 for expired ones."""
        folder.mkdir(parents=True)
        made = cls(folder, trustme.CA())
        made.authority.cert_pem.write_to_path(str(folder / "ExostellarRootCA.crt"))
        made.issue("ExostellarHeadNode.pem", name, server_days)
        made.issue("ExostellarClient.pem", "client", client_days)
        return made

    def issue(self, file: str, name: str, days: float = 365, *, since: float = -1000) -> Path:
        """One more, with its key, in a file of the folder; valid from ``since`` days to ``days`` from now."""
        until, begin = NOW + timedelta(days=days), NOW + timedelta(days=since)
        issued = self.authority.issue_cert(name, not_before=begin, not_after=until)
        path = self.folder / file
        path.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
        path.chmod(0o600)
        return path

    @property
    def tls(self) -> Tls:
        """How a client uses them."""
        folder = self.folder
        return Tls(str(folder / "ExostellarRootCA.crt"), str(folder / "ExostellarClient.pem"), None, NAME)

    def but(self, **changes: Any) -> Tls:
        """The same with other fields."""
        return structs.replace(self.tls, **{key: str(value) if value else None for key, value in changes.items()})


def transport(url: str, tls: Tls | None = None, proxy: str | None = None) -> Transport:
    """A transport with timeouts of two seconds, for two threads."""
    return Transport(url, connect_timeout=2, read_timeout=2, max_connections=2, tls=tls, proxy=proxy)


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """Good ones."""
    return Certificates.make(tmp_path / "tls")


@pytest.fixture
def secure_ems(certificates: Certificates) -> Iterator[Emulator]:
    """An emulator that speaks TLS with them."""
    with Emulator(tls=certificates.folder, boot_seconds=0.05) as emulator:
        yield emulator


@dataclass
class Listener:
    """A port of this machine, and what has come to it: a connection each."""

    url: str
    heads: list[bytes]


Listen = Callable[[Callable[[socket.socket], bytes]], Listener]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Listens on a port, and handles each connection in a thread; what the handler answers is kept."""
    listening: list[socket.socket] = []

    def start(handle: Callable[[socket.socket], bytes]) -> Listener:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)
        listener = Listener(f"127.0.0.1:{server.getsockname()[1]}", [])
        threading.Thread(target=_accept, args=(server, handle, listener.heads), daemon=True).start()
        return listener

    yield start
    for server in listening:
        server.close()


def _accept(server: socket.socket, handle: Callable[[socket.socket], bytes], heads: list[bytes]) -> None:
    def treat(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            heads.append(handle(connection))

    with suppress(OSError):
        while True:
            threading.Thread(target=treat, args=(server.accept()[0],), daemon=True).start()


@pytest.fixture
def proxy(listen: Listen) -> Listener:
    """An HTTP proxy that knows CONNECT alone, and keeps the head of each request."""

    def handle(connection: socket.socket) -> bytes:
        head = connection.recv(65536)
        host, _, port = head.split()[1].decode().partition(":")
        with socket.create_connection((host, int(port))) as target:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            listener.heads.append(head)  # now, and not when the connection ends
            pair = [threading.Thread(target=_pump, args=ends) for ends in ((connection, target), (target, connection))]
            for thread in pair:
                thread.start()
            for thread in pair:
                thread.join()
        return b""

    listener = listen(handle)
    return listener


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
