"""Ctrl-C, and what else asks a command to end, while it has something to finish first."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

from xio_slurm.commands.ticking import ERASE

EXIT_CODE: Final = 130

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_SAME: Final = 0.3
"""Seconds within which a second signal is the first again: some programs signal a process and then its group."""


class Interruption:
    """Whether the command was asked to end. The first time that is noted and told; a second Ctrl-C ends it at once.

    Nothing is raised where the signal arrives: it could be between a request and the note that it was sent.
    """

    def __init__(self, first: str, last_words: Callable[[], str]) -> None:
        self._first = first
        self._last_words = last_words
        self._since: float | None = None

    def happened(self) -> bool:
        """Whether somebody wants the command to end."""
        return self._since is not None

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signals' handler."""
        if self._since is None:
            self._since = time.monotonic()
            _say(self._first)
        elif number == signal.SIGINT and time.monotonic() - self._since > _SAME:
            leave(self._last_words())


@contextmanager
def interruptible(first: str, last_words: Callable[[], str]) -> Iterator[Interruption]:
    """Note the signals that ask for an end. Those that were ignored at the start (nohup) stay ignored."""
    interruption = Interruption(first, last_words)
    with _handled(interruption.handle):
        yield interruption


@contextmanager
def ended_at_once(last_words: str = "interrupted") -> Iterator[None]:
    """End the process at the first such signal, with a word about what it leaves."""

    with _handled(lambda _number, _frame: leave(last_words)):
        yield


@contextmanager
def interrupting() -> Iterator[None]:
    """Let every such signal do what Ctrl-C does: raise KeyboardInterrupt. Those that were ignored stay ignored."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handled(interrupt):
        yield


def leave(last_words: str) -> None:
    """End the process now, whatever its threads wait for."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
    _say(last_words)
    os._exit(EXIT_CODE)


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    heeded = [number for number in _SIGNALS if before[number] is not signal.SIG_IGN]
    for number in heeded:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])


def _say(text: str) -> None:
    # Straight to the descriptor: a handler can come in the midst of a print.
    with suppress(OSError):
        erase = ERASE if os.isatty(2) else ""
        os.write(2, f"{erase}xio: {text}\n".encode(errors="replace"))
