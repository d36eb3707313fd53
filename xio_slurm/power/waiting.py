"""Waits for the EMS: first often, then seldom, never past the deadline."""

import random
import time
from collections.abc import Iterator

from xio_slurm.deadline import Deadline

_FIRST = 0.2
_LONGEST = 5.0


def pauses(deadline: Deadline, *, jitter: bool = False) -> Iterator[None]:
    """Yields at once, and then after pauses that double from 0.2 to 5 seconds, until the deadline.

    With ``jitter`` each is a random part of that, so that many who failed together don't all come back together.
    """
    pause = _FIRST
    yield
    while not deadline.passed():
        spread = random.uniform(0, pause) if jitter else pause  # noqa: S311  no secret
        time.sleep(min(spread, deadline.left()))
        yield
        pause = min(2 * pause, _LONGEST)
