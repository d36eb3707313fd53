"""Counters since the cluster's beginning, folded from the events: what was asked for, refused, deleted. Pure.

Labels are pools of the manifest and codes of ours alone: a line of another kind counts for nothing, so that whatever
stands in a file makes no new series.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final, Self

from xio_slurm.desk.boot_times import BOOTED
from xio_slurm.desk.event_log import Event
from xio_slurm.manifest import Manifest

BUCKETS: Final = (15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0, 420.0, 600.0, 900.0, float("inf"))
"""Seconds that a boot took at most."""

REFUSALS: Final = ("capacity", "rejected", "unreachable", "ems")
CAUSES: Final = ("capacity", "rejected", "unreachable", "boot", "administrator")
EVERY: Final = "all"
"""How the events call all pools at once."""

_SYNC: Final = "xio-sync"


@dataclass(slots=True)
class Boots:
    """How many took up to each of ``BUCKETS`` and more than the one before, and the seconds of all."""

    counts: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[next(index for index, bucket in enumerate(BUCKETS) if seconds <= bucket)] += 1
        self.seconds += seconds


@dataclass(slots=True)
class Totals:
    """``counts`` by what, pool and code; ``boots`` by pool."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    boots: dict[str, Boots] = field(default_factory=dict)

    def fold(self, events: Iterable[Event], manifest: Manifest) -> None:
        """Add what the events tell."""
        pools = {pool.name for pool in manifest.pools}
        for event in events:
            pool = event.pool or _pool_of(event, manifest)
            if pool in pools or (pool == EVERY and event.kind == "closed"):
                self._add(event, pool)
            elif event.kind == "held":
                self.counts["held", "", ""] += 1

    def _add(self, event: Event, pool: str) -> None:
        code, seconds = event.text("code"), event.number("seconds")
        match event.kind:
            case "asked":
                self.counts["asked", pool, ""] += 1
            case "refused":
                self.counts["refused", pool, code if code in REFUSALS else "ems"] += 1
            case "boot-failed":
                self.counts["boot-failed", pool, ""] += 1
            case "failed" if code == "boot" and event.program == _SYNC:
                self.counts["boot-failed", pool, ""] += 1
            case "deleted" if event.program == _SYNC:
                self.counts["deleted", pool, ""] += 1
            case "closed" if event.text("cause") in CAUSES:
                self.counts["closed", pool, event.text("cause")] += 1
            case kind if kind == BOOTED and seconds is not None and isfinite(seconds):
                self.boots.setdefault(pool, Boots()).add(max(0.0, seconds))

    def document(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "counts": [[*key, count] for key, count in sorted(self.counts.items())],
            "boots": {pool: [boots.seconds, *boots.counts] for pool, boots in sorted(self.boots.items())},
            "buckets": list(BUCKETS[:-1]),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """As it was kept. Boots of other buckets are forgotten. Raises ValueError, TypeError and KeyError."""
        counts = Counter({(str(what), str(pool), str(code)): int(n) for what, pool, code, n in document["counts"]})
        boots = {}
        if document["buckets"] == list(BUCKETS[:-1]):
            for pool, (seconds, *numbers) in document["boots"].items():
                if len(numbers) != len(BUCKETS):
                    raise ValueError("boots of other buckets")
                boots[str(pool)] = Boots([int(number) for number in numbers], float(seconds))
        return cls(counts, boots)


def _pool_of(event: Event, manifest: Manifest) -> str:
    pool = manifest.pool_of(event.node)
    return pool.name if pool is not None else ""
