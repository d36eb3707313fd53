"""A process that has pyslurm, seen from the one that asks it.

To import pyslurm ends the process whose slurm.conf can't be read; its calls can't be bounded in time, and hold up every
thread meanwhile. So another process does both, and can be killed. It is started with the first question, stays for
those that follow, and ends with us.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import RLock
from typing import Any, Final

from xio_slurm.errors import SlurmError, SlurmTimeout
from xio_slurm.slurm.command import environment

_WORKER: Final = (sys.executable, "-P", "-m", "xio_slurm.slurm.pyslurm_worker")
_BLOCK: Final = 65536


class PyslurmGoneError(SlurmError):
    """The process has ended. Where it hadn't answered yet, pyslurm can't be imported."""


@dataclass(frozen=True, slots=True)
class _Running:
    process: subprocess.Popen[bytes]
    socket: socket.socket


class PyslurmProcess:
    """For all threads of ours. ``slurm_conf`` None: the environment's. Not ``usable``: it is known to end at once."""

    def __init__(self, slurm_conf: str | None) -> None:
        self.usable = True
        self._slurm_conf = slurm_conf
        self._running: _Running | None = None
        self._lock = RLock()
        atexit.register(self._end)

    def start(self, timeout: float) -> None:
        """See that it is there, within so many seconds. Raises PyslurmGoneError, and SlurmTimeout."""
        self._started(timeout)

    def ask(self, question: Mapping[str, Any], timeout: float) -> Any:
        """The answer. Raises SlurmError; after so many seconds SlurmTimeout, and the next question starts it anew."""
        with self._lock:
            return self._exchange(self._started(timeout), json.dumps(question).encode() + b"\n", timeout)

    def _started(self, timeout: float) -> _Running:
        with self._lock:
            if self._running is None:
                try:
                    self._running = _run(environment(os.environ, self._slurm_conf))
                except OSError as error:
                    raise PyslurmGoneError(f"pyslurm: its process can't be started: {error}") from error
                self._exchange(self._running, b"", timeout)
            return self._running

    def _exchange(self, running: _Running, question: bytes, timeout: float) -> Any:
        try:
            told = json.loads(_line(running.socket, question, time.monotonic() + timeout))
        except TimeoutError as error:
            self._end()
            raise SlurmTimeout(f"pyslurm: no answer within {timeout:g} s") from error
        except OSError as error:
            self._end()
            raise PyslurmGoneError("pyslurm: its process has ended") from error
        if "error" in told:
            raise SlurmError(f"pyslurm: {told['error']}")
        return told["answer"]

    def _end(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.socket.close()
            with suppress(ProcessLookupError):
                os.killpg(running.process.pid, signal.SIGKILL)
            running.process.wait()


def _run(env: Mapping[str, str]) -> _Running:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            _WORKER,
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
            env=env,
            process_group=0,
        )
    return _Running(process, ours)


def _line(ours: socket.socket, question: bytes, until: float) -> bytes:
    """The answer. Raises TimeoutError at that moment (monotonic, in seconds), and another OSError at its end."""
    line = b""
    while not line.endswith(b"\n"):
        ours.settimeout(max(0.001, until - time.monotonic()))
        ours.sendall(question)
        question = b""
        block = ours.recv(_BLOCK)
        if not block:
            raise BrokenPipeError
        line += block
    return line
