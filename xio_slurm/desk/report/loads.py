"""Adds up how many VMs there were when, in memory that doesn't grow with them."""

from array import array
from itertools import accumulate
from math import ceil
from typing import Final

from xio_slurm.desk.report.figures import BINS, Load, Period

_SLOTS: Final = 60
"""Of each part of a period: so exact is the most at a time."""

_EXACT: Final = 1e-6
"""Of a VM: sums of fractions aren't better."""


class Loads:
    """The VMs of one pool, or of all, as they are added."""

    def __init__(self, period: Period) -> None:
        self._period = period
        self._vms = 0
        self._seconds = 0.0
        self._average = array("d", bytes(8 * (BINS + 2)))
        self._change = array("l", bytes(array("l").itemsize * (BINS * _SLOTS + 1)))

    def add(self, begin: float, end: float) -> bool:
        """A VM that was there from ``begin`` to ``end``; False where that isn't within the period."""
        begin, end = max(begin, self._period.since), min(end, self._period.until)
        if begin > end:
            return False
        self._vms += 1
        self._seconds += end - begin
        first, last = self._place(begin), self._place(end)
        self._step(first, 1)
        self._step(last, -1)
        slot = min(int(first * _SLOTS), BINS * _SLOTS - 1)
        # Whoever follows a VM in its last slot isn't there beside it.
        self._change[slot] += 1
        self._change[max(slot + 1, int(last * _SLOTS))] -= 1
        return True

    def load(self) -> Load:
        """What was added."""
        average = tuple(max(0.0, value) for value in accumulate(self._average[:BINS]))
        slots = list(accumulate(self._change[:-1]))
        most = tuple(
            max(*slots[each * _SLOTS : (each + 1) * _SLOTS], ceil(average[each] - _EXACT)) for each in range(BINS)
        )
        return Load(self._vms, self._seconds / 3600, average, most)

    def _place(self, time: float) -> float:
        return min(max((time - self._period.since) / self._period.width, 0.0), BINS)

    def _step(self, place: float, by: int) -> None:
        """From there on so many more: the running sum of the averages grows by part of it here, by all of it after."""
        here = int(place)
        part = place - here
        self._average[here] += by * (1 - part)
        self._average[here + 1] += by * part
