"""How long something may still take.

Every wait of the programs is bounded by one deadline, set when slurmctld called: from 23.02 on slurmctld ends a
program after the longer of ResumeTimeout and SuspendTimeout, and a node's next turn can come after that.
"""

import time
from typing import Self

from msgspec import Struct


class Deadline(Struct, frozen=True):
    """A moment of the monotonic clock, so that a clock that jumps neither cuts nor prolongs it."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        """The deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds left; 0 when it has passed."""
        return max(0.0, self.at - time.monotonic())

    def passed(self) -> bool:
        """Whether nothing is left."""
        return self.left() == 0.0

    def sooner(self, seconds: float) -> Self:
        """This deadline, or the one that many seconds from now if that comes first."""
        return type(self)(min(self.at, time.monotonic() + seconds))
