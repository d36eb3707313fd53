"""Notices when this host's clock is set ahead, so that no VM counts as old that was asked for a moment ago.

The ledger's times are the wall clock's, since they outlive every process; how long a pass is after the other a clock
tells that nobody sets. A host that stood still looks the same, and its VMs may have stood still with it.
"""

from dataclasses import dataclass
from typing import Final

_SKEW: Final = 30.0
"""Seconds that are no jump: a pass that takes long, a clock that is slewed."""


@dataclass(frozen=True, slots=True)
class Jump:
    """The clock was set ahead ``at`` a time (by the clock as it was): what was before seems older by so much."""

    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class ClockJumps:
    """Those between the looks so far. ``wall`` and ``steady`` are the two clocks at the last one, in seconds."""

    wall: float | None = None
    steady: float = 0.0
    jumps: tuple[Jump, ...] = ()

    def after_look(self, wall: float, steady: float) -> "ClockJumps":
        """With what has become of the clock since the last look."""
        if self.wall is None:
            return ClockJumps(wall, steady)
        should_be = self.wall + (steady - self.steady)
        ahead = wall - should_be
        if ahead > _SKEW:
            return ClockJumps(wall, steady, (*self.jumps, Jump(should_be, ahead)))
        return ClockJumps(wall, steady, _taken_back(self.jumps, -ahead) if ahead < -_SKEW else self.jumps)


def _taken_back(jumps: tuple[Jump, ...], seconds: float) -> tuple[Jump, ...]:
    """What is left of them when the clock was set back: the last first. Times from then on are in the future."""
    left = list(jumps)
    while left and seconds > 0:
        last = left.pop()
        if last.seconds > seconds:
            left.append(Jump(last.at, last.seconds - seconds))
        seconds -= last.seconds
    return tuple(left)


def set_ahead_since(then: float, jumps: tuple[Jump, ...]) -> float:
    """Seconds by which ``then`` seems longer ago than it is."""
    ahead = 0.0
    for jump in jumps:
        if then + ahead <= jump.at:
            ahead += jump.seconds
    return ahead
