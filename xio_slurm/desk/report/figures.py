"""The figures of a report, as they are shown and printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from xio_slurm.desk.boot_times import BootTimes

BINS: Final = 168
"""Parts of equal length that a period has: the hours of a week."""


@dataclass(frozen=True, slots=True)
class Period:
    """``since`` and ``until`` in seconds since 1970; ``since`` is the earlier."""

    since: float
    until: float

    @property
    def width(self) -> float:
        """Seconds of each of the ``BINS``."""
        return (self.until - self.since) / BINS

    def __contains__(self, time: float) -> bool:
        return self.since <= time <= self.until


@dataclass(frozen=True, slots=True)
class Load:
    """How many VMs there were. ``average`` and ``most`` are of each part of the period.

    The averages are exact: times the parts' length they are ``hours``. ``most`` is exact to a sixtieth of a part.
    """

    vms: int
    hours: float
    average: tuple[float, ...]
    most: tuple[int, ...]

    @property
    def peak(self) -> int:
        """The most at a time."""
        return max(self.most, default=0)


@dataclass(frozen=True, slots=True)
class Boot:
    """A VM whose node came up, ``seconds`` after the VM was asked for. ``job`` is empty where nobody knows it."""

    seconds: float
    time: float
    node: str
    pool: str
    job: str


@dataclass(frozen=True, slots=True)
class FailedStart:
    """A node that didn't come up, and why: ``code`` as in ``xio:<code>``, ``text`` in words."""

    time: float
    node: str
    pool: str
    job: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """One pool, or all. ``histogram``: boots by the ``steps`` of the report. ``price`` and ``cost`` None: not known.

    ``cost`` of all pools is that of the pools that have a price.
    """

    pool: str
    load: Load
    asked: int
    failed: int
    boots: BootTimes | None
    longest: float | None
    histogram: tuple[int, ...]
    price: float | None
    cost: float | None

    @property
    def quiet(self) -> bool:
        """Nothing is told of it."""
        return not (self.load.vms or self.asked or self.failed or self.boots)


@dataclass(frozen=True, slots=True)
class FailureKind:
    """How often something failed for one reason, and where. ``start``: whether a start failed of it."""

    code: str
    meaning: str
    start: bool
    count: int
    pools: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Estimates:
    """VMs whose hours are not wholly known.

    ``begins`` and ``ends``: no event tells when they began or ended. ``clock``: they ended before they began, since a
    clock was set back, and count nothing. ``living``: they run on. ``noted_since``: the first event is later than the
    period's beginning, and nothing is known from before it.
    """

    begins: int
    ends: int
    clock: int
    living: int
    noted_since: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All of a report. ``steps``: upper ends of the histograms' bars in seconds; the last bar has no end."""

    cluster: str
    period: Period
    now: float
    pools: tuple[PoolFigures, ...]
    total: PoolFigures
    steps: tuple[float, ...]
    kinds: tuple[FailureKind, ...]
    slowest: tuple[Boot, ...]
    failed: tuple[FailedStart, ...]
    estimates: Estimates
    currency: str
    problems: tuple[str, ...]
