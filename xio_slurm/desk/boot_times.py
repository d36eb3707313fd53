"""How long VMs took to boot: from the request until slurmd registered, as the events tell it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from xio_slurm.desk.event_log import Event, read_events
from xio_slurm.errors import EventsError

BOOTED: Final = "registered"
"""The kind of the event, whose ``seconds`` are those since the VM was asked for."""

_SPAN: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class BootTimes:
    """Half of the VMs took ``p50`` seconds or less, 95 of 100 took ``p95`` or less."""

    count: int
    p50: float
    p95: float


def boot_times(seconds: Iterable[float]) -> BootTimes | None:
    """None where nothing has booted. Pure."""
    ordered = sorted(seconds)
    return BootTimes(len(ordered), quantile(ordered, 0.5), quantile(ordered, 0.95)) if ordered else None


def quantile(ordered: Sequence[float], part: float) -> float:
    """The least of the values that so many of them don't exceed (nearest rank): a value that there was."""
    return ordered[max(0, ceil(part * len(ordered)) - 1)]


class RecentBoots:
    """The boots of the last 24 hours. To look again costs what has been written since."""

    def __init__(self, log_dir: str) -> None:
        self._log_dir = log_dir
        self._seen: dict[tuple[float, str], tuple[str, float]] = {}
        self._until = 0.0

    def look(self, now: float) -> tuple[Mapping[str, Sequence[float]], tuple[str, ...]]:
        """The seconds of each boot, by pool, and why some of them aren't known. ``now`` in seconds since 1970."""
        problems: tuple[str, ...] = ()
        try:
            for event in read_events(self._log_dir, max(now - _SPAN, self._until)):
                self._note(event)
        except EventsError as error:
            problems = (str(error),)
        self._until = now - _OVERLAP
        self._seen = {key: boot for key, boot in self._seen.items() if now - _SPAN <= key[0]}
        by_pool: defaultdict[str, list[float]] = defaultdict(list)
        for pool, seconds in self._seen.values():
            by_pool[pool].append(seconds)
        return by_pool, problems

    def _note(self, event: Event) -> None:
        seconds = event.number("seconds")
        if event.kind == BOOTED and seconds is not None:
            self._seen[event.time, event.node] = (event.pool, seconds)


_OVERLAP: Final = 60.0
"""Seconds that are read again: lines may be out of order, and a boot is known by its time and node."""
