"""SIGTERM and SIGINT, for a service that ends between two effects and never in the midst of one."""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Whether somebody has asked for the end. Nothing is raised where the signal arrives."""

    def __init__(self) -> None:
        # A pipe wakes who waits; threading.Event may deadlock when its waiter handles the signal.
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._asked = False

    def asked(self) -> bool:
        """Whether it is time to end."""
        return self._asked

    def ask(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """The signals' handler."""
        if not self._asked:
            self._asked = True
            os.write(self._write, b".")

    def wait(self, seconds: float) -> None:
        """Wait so long, or until the end is asked for."""
        select.select([self._read], [], [], max(0.0, seconds))

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self._read)
        os.close(self._write)


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Note the signals within."""
    stop = Stop()
    before = {number: signal.signal(number, stop.ask) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        stop.close()
