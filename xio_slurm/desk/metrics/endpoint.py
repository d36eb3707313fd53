"""Serves a text over HTTP, for Prometheus. No request has anything looked at: a bad client costs a thread, for seconds.

Connections at once, bytes of a request and seconds for all of it are bounded, and nothing but the text is told.
"""

import socket
import threading
import time
from contextlib import suppress
from typing import Final

from xio_slurm.desk.metrics.exposition import PLAIN, TYPED

_MOST: Final = 8
_SECONDS: Final = 5.0
_LONGEST: Final = 16 * 1024
_TURN: Final = 0.5
"""Seconds after which the thread sees that it is to end, and between two tries where none is left to accept with."""


class Endpoint:
    """Listens from its making on, until ``close``. Raises OSError where it can't."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host.strip("[]"), int(port)), family=family, backlog=_MOST)
        self._socket.settimeout(_TURN)
        self._free = threading.BoundedSemaphore(_MOST)
        self._ended = threading.Event()
        self._texts: tuple[bytes, bytes] | None = None
        self._thread = threading.Thread(target=self._serve, name="metrics", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        number: int = self._socket.getsockname()[1]
        return number

    def publish(self, plain: str, typed: str) -> None:
        """What is served from now on: the text for everybody, and that for readers of OpenMetrics."""
        self._texts = (plain.encode(), typed.encode())

    def close(self) -> None:
        """Give the address back."""
        self._ended.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            except OSError:  # no descriptor is left, or the client has gone already
                self._ended.wait(_TURN)
                continue
            if not self._free.acquire(blocking=False):
                connection.close()
                continue
            try:
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()
            except RuntimeError:  # no thread is to be had
                connection.close()
                self._free.release()

    def _answer(self, connection: socket.socket) -> None:
        end = time.monotonic() + _SECONDS
        try:
            with connection, suppress(OSError):
                request = _request(connection, end)
                if request is not None:
                    connection.settimeout(max(0.01, end - time.monotonic()))
                    connection.sendall(self._answer_to(request))
        finally:
            self._free.release()

    def _answer_to(self, request: bytes) -> bytes:
        line, *headers = request.decode("latin-1").split("\r\n")
        method, _, rest = line.partition(" ")
        if method not in {"GET", "HEAD"}:
            return _http("405 Method Not Allowed", b"GET alone\n", "Allow: GET, HEAD\r\n")
        if rest.partition(" ")[0].partition("?")[0] not in {"/metrics", "/"}:
            return _http("404 Not Found", b"see /metrics\n")
        texts = self._texts
        if texts is None:
            return _http("503 Service Unavailable", b"the first look isn't over\n")
        accepted = "".join(header.lower() for header in headers if header.lower().startswith("accept:"))
        typed = "application/openmetrics-text" in accepted
        body = texts[typed]
        return _http("200 OK", body, f"Content-Type: {TYPED if typed else PLAIN}\r\n", head=method == "HEAD")


def _request(connection: socket.socket, end: float) -> bytes | None:
    """All until the empty line; None where that doesn't come in time, or is too long."""
    request = b""
    while b"\r\n\r\n" not in request:
        left = end - time.monotonic()
        if left <= 0 or len(request) > _LONGEST:
            return None
        connection.settimeout(left)
        part = connection.recv(4096)
        if not part:
            return None
        request += part
    return request.partition(b"\r\n\r\n")[0]


def _http(status: str, body: bytes, headers: str = "Content-Type: text/plain\r\n", *, head: bool = False) -> bytes:
    top = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return top.encode() + (b"" if head else body)
