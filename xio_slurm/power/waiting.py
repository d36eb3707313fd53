"""Waits for the EMS: first often, then seldom, never past the deadline."""

import time
from collections.abc import Iterator

from xio_slurm.deadline import Deadline

_FIRST = 0.2
_LONGEST = 5.0


def pauses(deadline: Deadline) -> Iterator[None]:
    """Yields at once, and then after pauses that double from 0.2 to 5 seconds, until the deadline."""
    pause = _FIRST
    yield
    while not deadline.passed():
        time.sleep(min(pause, deadline.left()))
        yield
        pause = min(2 * pause, _LONGEST)
