"""A server between us and the emulator that mangles answers: any bytes can come back, as no library would send them."""

import json
import socket
import struct
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from queue import Empty, SimpleQueue
from random import Random
from types import TracebackType
from typing import Any, BinaryIO, Final, Self
from urllib.parse import urlsplit

from tests.contract.fuzz.mangling import Wire, mangled, plain

_SLEEP: Final = time.sleep
_PATIENCE: Final = 3.0
_SILENCE: Final = 0.6
"""Seconds without a word: longer than our client's timeouts."""

_SLOW: Final = 2
"""Answers of a run that take real time."""

VMS: Final = ("GET /v1/xcompute/vm/*", "GET */vms", "POST *", "DELETE *", "[PD]* *")
IMAGES: Final = ("GET /v1/image/*", "* /v1/xcompute/parse*", "GET /v1/xcompute/parse/*", "POST *", "PUT *", "DELETE *")
DOCUMENTS: Final = ("GET /v1/profile/*", "GET /v1/env/*", "GET */[pei]*s", "GET *", "[PD]* *")
"""What a trouble can be about, besides everything."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is mangled in one run: which requests, how likely, and whether what is mangled was done before.

    Every request has a random generator of its own, so that a run of several threads is the same again.
    """

    seed: str
    about: str
    chance: float
    done: float

    @classmethod
    def drawn(cls, random: Random, about: tuple[str, ...]) -> Self:
        """A run's trouble, with everything or with one of these requests."""
        seed = f"{random.getrandbits(64):x}"
        subject = "*" if random.random() < 0.4 else random.choice(about)
        return cls(seed, subject, random.choice((1.0, 0.5, 0.3, 0.1, 0.03)), random.choice((1.0, 0.5)))

    def of(self, method: str, path: str, number: int) -> Random | None:
        """The generator for this request, the ``number``-th of its kind; None: it goes through unharmed."""
        random = Random(f"{self.seed} {method} {path} {number}")
        return random if fnmatchcase(f"{method} {path}", self.about) and random.random() < self.chance else None


class Mangler:
    """Listens between ``__enter__`` and ``__exit__``, in front of the EMS with this URL."""

    def __init__(self, ems_url: str) -> None:
        self._ems = urlsplit(ems_url).port or 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._idle: SimpleQueue[_Upstream] = SimpleQueue()
        self._lock = threading.Lock()
        self.begin(None)

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="mangler", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with suppress(Empty):
            while True:
                self._idle.get_nowait().close()

    def begin(self, trouble: Trouble | None) -> None:
        """A new run, with this trouble."""
        self._trouble = trouble
        self._counts: Counter[tuple[str, str]] = Counter()
        self._slow = 0
        self.lied = False
        self.trapped: list[str] = []

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, ValueError), connection.makefile("rb") as requests:
            connection.settimeout(_PATIENCE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (message := _message(requests)) is not None:
                first, body = message
                method, path, _ = first.split(" ", 2)
                if not self._send(connection, self._answer(method, path, body)):
                    return

    def _answer(self, method: str, path: str, body: bytes) -> Wire:
        if path.startswith("/trap"):
            self.trapped.append(f"{method} {path}")
        with self._lock:
            self._counts[method, path] += 1
            random = self._trouble.of(method, path, self._counts[method, path]) if self._trouble is not None else None
        if random is None or self._trouble is None:
            return plain(*self.ask(method, path, body))
        is_done = method == "GET" or random.random() < self._trouble.done
        truth = self.ask(method, path, body) if is_done else (200, b"{}")
        wire = mangled(random, *truth, f"{self.url}/trap")
        if wire.end in {"silence", "drip"}:
            self._slow += 1
            if self._slow > _SLOW:
                return plain(*truth)
        if _is_lie(method, path, truth, wire, is_done=is_done):
            self.lied = True
        return wire

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Ask the EMS itself; the status and the body of its answer."""
        while True:
            try:
                ems = self._idle.get_nowait()
            except Empty:
                ems = _Upstream(self._ems)
            answer = ems.ask(method, path, body)
            if answer is not None:
                self._idle.put(ems)
                return answer
            ems.close()  # it was idle for so long that the emulator has ended it

    def _send(self, connection: socket.socket, wire: Wire) -> bool:
        """Send it; whether the connection stays."""
        if wire.end == "silence":
            _SLEEP(_SILENCE)
            return False
        if wire.end == "drip":
            for at in range(len(wire.sent)):
                connection.sendall(wire.sent[at : at + 1])
                _SLEEP(0.02)
            return False
        connection.sendall(wire.sent)
        if wire.end == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return wire.end == "stay"


class _Upstream:
    """A connection to the emulator. By hand: libraries would take more time than all the rest of a request."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._socket.makefile("rb")

    def ask(self, method: str, path: str, body: bytes) -> tuple[int, bytes] | None:
        """One request; the status and the body of its answer. None: the connection has ended."""
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
        try:
            self._socket.sendall(head.encode() + body)
            message = _message(self._answers)
        except ConnectionError:
            message = None
        if message is None:
            return None
        first, told = message
        return int(first.split(" ", 2)[1]), told

    def close(self) -> None:
        """End it."""
        self._answers.close()
        self._socket.close()


def _message(stream: BinaryIO) -> tuple[str, bytes] | None:
    """The first line and the body of a request or an answer in good order; None at the end."""
    first = line = stream.readline(1 << 20)
    length = 0
    while line not in {b"", b"\r\n"}:
        line = stream.readline(1 << 20)
        if line[:15].lower() == b"content-length:":
            length = int(line[15:])
    return (first.decode("latin-1"), stream.read(length)) if first else None


def _is_lie(method: str, path: str, truth: tuple[int, bytes], wire: Wire, *, is_done: bool) -> bool:
    """Whether an answer is a clear word about VMs that isn't true: nobody can be asked to see through that."""
    if wire.sent.count(b"HTTP/1.1") > 1 or wire.sent.startswith(b"\x15\x03"):
        return True  # the second is read as the answer to the next request; and who speaks TLS has done nothing
    if not path.startswith("/v1/xcompute/vm") or method == "DELETE":
        return False
    if method == "POST":
        return is_done and 400 <= wire.status < 500
    if wire.status == 404:
        return truth[0] != 404
    listed = _names(wire.body) if wire.status == 200 and path.endswith("/vms") else None
    return listed is not None and listed != _names(truth[1])


def _names(body: bytes) -> set[str] | None:
    """What a client reads out of a list of VMs; None where it can't."""
    try:
        document = json.loads(body)
        listed: Any = document["Vms"]
        return {str(vm["NodeName"]) for vm in listed or ()}
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
