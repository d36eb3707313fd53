"""A clock that a sleeper moves: hours of waiting for an EMS pass in a second, and every deadline comes in its turn."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from unittest import mock

import xio_slurm.ems.watchdog  # noqa: F401  # it keeps the clock that there is when it is loaded: a socket's

_SLEEP: Final = time.sleep
_MONOTONIC: Final = time.monotonic

_BREATH: Final = 0.0005
"""Seconds that a sleep really takes, so that other threads get their turn."""


@contextmanager
def skipped_time() -> Iterator[None]:
    """Whoever sleeps in here finds the clock put forward by so much.

    Threads that run already, the emulator's above all, keep the real time, and so do sockets and their timeouts.
    """
    untouched = {thread.ident for thread in threading.enumerate() if thread is not threading.current_thread()}
    skipped = 0.0

    def sleep(seconds: float) -> None:
        nonlocal skipped
        skipped += seconds
        _SLEEP(_BREATH)

    def monotonic() -> float:
        return _MONOTONIC() + (0.0 if threading.get_ident() in untouched else skipped)

    with mock.patch.object(time, "sleep", sleep), mock.patch.object(time, "monotonic", monotonic):
        yield
