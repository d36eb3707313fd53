"""What figures say beside each other: ratios, growth, and whether a goal is reached. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_VISIBLE: Final = 0.25
"""Of what the smallest number takes: a growth by less can be noise."""


def ratio(value: float, base: float) -> float | None:
    """How many times ``base`` the value is; None where the base is nothing, as a bound at no latency is."""
    return value / base if base > 0 else None


def growth(by_nodes: Mapping[int, float]) -> float | None:
    """The power of the number of nodes with which a figure grows between the two largest: 1 is linear, 2 is square.

    What the smallest number takes is left out, as what a program costs with no nodes at all; but where that is most of
    the figure, all of it counts: the rest is noise. None where there are no three numbers.
    """
    if len(by_nodes) < 3:
        return None
    first, *_, before, last = sorted(by_nodes)
    least = by_nodes[first]
    if by_nodes[before] < least * (1 + _VISIBLE) or by_nodes[last] <= least:
        least = 0.0
    return math.log((by_nodes[last] - least) / (by_nodes[before] - least)) / math.log(last / before)


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure, and what it should be at most. ``figure`` None: it wasn't measured. ``unit`` is written after both."""

    what: str
    figure: float | None
    limit: float
    unit: str = "x"

    @property
    def verdict(self) -> str:
        """In words."""
        if self.figure is None:
            return "not measured"
        return "reached" if self.figure <= self.limit else "**not reached**"
