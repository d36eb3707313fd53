"""Waiting for a real cluster: it does things when it does them."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], seconds: float) -> T:
    """Ask until the condition holds, and return what it said; fail with its last word if it doesn't in time."""
    deadline = time.monotonic() + seconds
    while not (said := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain; last: {said!r}")
        time.sleep(0.25)
    return said
