"""How many requests the EMS is sent side by side: as many as it answers well.

As TCP does it: half of the most to begin with, one more for each good answer, so that it doubles with each turn; half
as many after a bad one, and from then on one more for each whole turn of good ones, for ten turns where it was too much
before. What was on its way when it fell tells nothing new. So a strong EMS is used to the full after its first answers,
and a weak one isn't run over.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from threading import Condition
from typing import Final

from xio_slurm.deadline import Deadline

_TOO_MUCH: Final = frozenset({429, 502, 503, 504})
"""What an EMS, or a proxy before it, says that has too much to do."""

_SLOW: Final = 4.0
"""An answer is slow that takes so many times as long as the quickest of its kind,"""
_SLOW_SECONDS: Final = 2.0
"""and no less than this."""

_LEAST: Final = 1 / 8
"""What is left of the most, however bad the answers: some get through, and a failing EMS has no thousand nodes wait."""
_LEAST_IF_SLOW: Final = 1 / 4
"""What is left of it if they are slow alone, which can have another cause than our load."""


class Turn:
    """One request, and the status of its answer: None as long as there is none."""

    def __init__(self) -> None:
        self.status: int | None = None


class Flow:
    """The requests of one transport. ``most`` is how many its threads could have on their way."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = max(1.0, most / 2)
        self._busy = 0
        self._fell: float | None = None
        self._too_much = inf
        self._quickest: defaultdict[str, float] = defaultdict(lambda: inf)
        self._free = Condition()

    @property
    def limit(self) -> int:
        """So many may be on their way now."""
        return int(self._limit)

    @contextmanager
    def turn(self, kind: str, deadline: Deadline) -> Iterator[Turn]:
        """Wait for a place, and give it back. ``kind``: those that take equally long. Past the deadline none waits."""
        turn = Turn()
        with self._free:
            self._free.wait_for(lambda: self._busy < self.limit, deadline.left())
            self._busy += 1
        began = time.monotonic()
        try:
            yield turn
        finally:
            with self._free:
                self._busy -= 1
                self._learn(turn.status, kind, began, time.monotonic())
                self._free.notify(max(0, self.limit - self._busy))

    def _learn(self, status: int | None, kind: str, began: float, now: float) -> None:
        if status is None or status in _TOO_MUCH:
            self._fall(began, now, _LEAST)
            return
        seconds = now - began
        self._quickest[kind] = min(self._quickest[kind], seconds)
        if seconds > max(_SLOW_SECONDS, _SLOW * self._quickest[kind]):
            self._fall(began, now, _LEAST_IF_SLOW)
            return
        self._limit = min(self._most, self._limit + self._more())

    def _more(self) -> float:
        if self._fell is None:
            return 1.0
        return (0.1 if self.limit + 1 >= self._too_much else 1.0) / self._limit

    def _fall(self, began: float, now: float, least: float) -> None:
        if self._fell is None or began > self._fell:
            floor = min(max(1.0, least * self._most), self._limit)
            self._too_much = self.limit
            self._limit = max(floor, self._limit / 2)
            self._fell = now
