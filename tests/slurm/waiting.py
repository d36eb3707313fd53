"""Waiting for a real cluster: it does things when it does them."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

_PATIENCE: Final = 3.0


def wait_for(condition: Callable[[], T], seconds: float) -> T:
    """Ask until the condition holds, and return what it said; fail with its last word if it doesn't in time.

    ``seconds`` is what it takes on a busy machine, at most. A slower one is given more: it is no proof of anything.
    """
    deadline = time.monotonic() + _PATIENCE * seconds
    while not (said := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {_PATIENCE * seconds:g} s in vain; last: {said!r}")
        time.sleep(0.25)
    return said
