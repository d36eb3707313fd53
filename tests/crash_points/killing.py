"""Kills this process at the first effect of it at whose place no process of its program was killed before.

An effect is what the world notices: a file opened for writing, renamed or removed, a folder made, a connection, a
request, a command that is started. Its place is that, with all of our code that leads to it. Places are found by coming
by, so a new effect is a new place. The kill comes just before the effect; of a request and a command there is also the
moment just after: it is on its way, and nobody is there for its answer.
"""

import fcntl
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_FOLDERS: Final = {"nodes", "locks", "jobs", "pools"}
"""Those of the state folder: which of their files it is makes no other place."""


class Places:
    """Where processes of one program were killed, in a file for all of them: a JSON line each."""

    def __init__(self, file: Path, program: str) -> None:
        self._file = file
        self._program = program
        self._known: set[str] = set()
        self._thread = threading.local()

    def come_by(self, effect: str) -> None:
        """An effect is about to be, or has just been. Where it is the first of its place, nothing follows it."""
        if getattr(self._thread, "at_work", False):
            return  # our own file
        code = _code_that_leads_here()
        place = f"{self._program}: {effect}: {code}"
        if not code or place in self._known:
            return
        self._thread.at_work = True
        try:
            self._claim(effect, place)
        finally:
            self._thread.at_work = False

    def _claim(self, effect: str, place: str) -> None:
        with self._file.open("r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._known = {json.loads(line)["place"] for line in file}
            if place in self._known:
                return
            told = {"program": self._program, "pid": os.getpid(), "effect": effect, "place": place}
            file.write(json.dumps(told) + "\n")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)


def watch(places: Places) -> None:
    """Have this process come by at each of its effects."""

    def audited(event: str, arguments: tuple[Any, ...]) -> None:
        if (words_of := _EFFECTS.get(event)) is not None and (words := words_of(*arguments)):
            places.come_by(f"before {words}")

    def and_after(method: Callable[..., Any], words_of: Callable[..., str]) -> Callable[..., Any]:
        def called(self: Any, *arguments: Any, **options: Any) -> Any:
            result = method(self, *arguments, **options)
            places.come_by(f"after {words_of(self, *arguments)}")
            return result

        return called

    sys.addaudithook(audited)
    connection: Any = http.client.HTTPConnection
    connection.send = and_after(connection.send, _sent)
    process: Any = subprocess.Popen
    process.__init__ = and_after(process.__init__, lambda _, command, *__: _command(command[0], command))


def _code_that_leads_here() -> str:
    """Our code, the innermost first; empty where it is none of ours."""
    found = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        _, ours, module = frame.f_code.co_filename.rpartition("/xio_slurm/")
        if ours:
            found.append(f"{module}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(found)


def _opened(path: Any, _mode: Any, flags: int) -> str:
    is_effect = flags & _WRITING and not isinstance(path, int) and path != os.devnull
    return f"open {_file(path)}" if is_effect else ""


def _made(path: Any, *_: Any) -> str:
    return "" if Path(path).is_dir() else f"mkdir {_file(path)}"


def _file(path: Any) -> str:
    file = Path(path)
    return f"{file.parent.name}/*{file.suffix}" if file.parent.name in _FOLDERS else file.name


def _sent(_: Any, data: bytes) -> str:
    method, _, path = bytes(data[:80]).partition(b" /v1/xcompute/")
    return f"{method.decode()} {'VMs' if path.startswith(b'vms') else 'VM'}" if path else "the body"


def _command(program: str, arguments: Sequence[str], *_: Any) -> str:
    """Its name, and what it is asked for, but not of which node or job."""
    asked = (word if word.startswith("State=") else word.partition("=")[0] for word in arguments[1:4])
    return " ".join((Path(program).name, *(word for word in asked if word.isalpha() or "=" in word)))


_EFFECTS: Final[dict[str, Callable[..., str]]] = {
    "open": _opened,
    "os.mkdir": _made,
    "os.rename": lambda _, new, *__: f"rename {_file(new)}",
    "os.remove": lambda path, *_: f"remove {_file(path)}",
    "socket.connect": lambda *_: "connect",
    "http.client.send": _sent,
    "subprocess.Popen": _command,
}
