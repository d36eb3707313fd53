"""The cause in one sentence, and what to do about it."""

import time
from dataclasses import dataclass
from enum import IntEnum

from xio_slurm.plain_text import one_line


class Weight(IntEnum):
    """How bad it is: of several nodes of a job the worst is told."""

    FINE = 0
    WAITS = 1
    STUCK = 2


@dataclass(frozen=True, slots=True)
class Conclusion:
    """``todo`` are lines: words, ending with a command where there is one (``…: xio …``)."""

    weight: Weight
    cause: str
    todo: tuple[str, ...]


def fine(cause: str, *todo: str) -> Conclusion:
    """Nothing is wrong."""
    return Conclusion(Weight.FINE, one_line(cause), todo or ("nothing",))


def waits(cause: str, *todo: str) -> Conclusion:
    """It goes on by itself."""
    return Conclusion(Weight.WAITS, one_line(cause), todo)


def stuck(cause: str, *todo: str) -> Conclusion:
    """Somebody must do something, or nothing happens for long."""
    return Conclusion(Weight.STUCK, one_line(cause), todo)


def duration(seconds: float) -> str:
    """A time in words, of a precision that people want."""
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    if whole < 2 * 3600:
        return f"{whole // 60} min"
    return f"{whole // 3600} h" if whole < 48 * 3600 else f"{whole // 86_400} days"


def count_of(number: int, what: str) -> str:
    """So many of them."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def clock(moment: float, now: float) -> str:
    """The local time, with its day where that isn't today."""
    then, today = time.localtime(moment), time.localtime(now)
    return time.strftime("%H:%M:%S" if then[:3] == today[:3] else "%Y-%m-%d %H:%M:%S", then)
