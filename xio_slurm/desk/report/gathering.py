"""Folds the events of a period to figures. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import ceil
from typing import Final

from xio_slurm.desk.boot_times import boot_times
from xio_slurm.desk.event_log import Event
from xio_slurm.desk.metrics.totals import EVERY
from xio_slurm.desk.report.figures import Figures, Load, Period, PoolFigures
from xio_slurm.desk.report.lives import KINDS as OF_LIVES
from xio_slurm.desk.report.lives import Lives
from xio_slurm.desk.report.loads import Loads
from xio_slurm.desk.report.ordering import in_order
from xio_slurm.desk.report.starts import KINDS as OF_STARTS
from xio_slurm.desk.report.starts import Starts
from xio_slurm.errors import SlurmError
from xio_slurm.ledger import Entry
from xio_slurm.manifest import Manifest
from xio_slurm.plain_text import one_line, shortened
from xio_slurm.slurm.hostlist import expand

LOOK_BACK: Final = 24 * 3600.0
"""Seconds before a period whose events tell what was there when it began."""

_KINDS: Final = OF_LIVES | OF_STARTS | {"wanted"}
"""The others tell nothing here: they needn't be put in order."""

_BARS: Final = 32
_STEPS: Final = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)
_FEW: Final = 0.99
"""Of the boots the histograms have at least so many in bars of their own; what took longer is in the last one."""


class Gathering:
    """What a report tells, as the events come. ``now`` in seconds since 1970."""

    def __init__(self, manifest: Manifest, period: Period, now: float) -> None:
        self._manifest = manifest
        self._period = period
        self._now = now
        self._lives = Lives(period, now)
        self._starts = Starts()

    def fold(self, events: Iterable[Event]) -> None:
        """All events from ``LOOK_BACK`` before the period on until now: ends after it tell how long a VM lived."""
        for event in in_order((event for event in events if event.kind in _KINDS), self._now):
            if event.kind == "wanted":
                self._want(event)
            elif event.node and event.pool != EVERY:
                pool = _plain(event.pool) or self._manifest.pool_name(event.node)
                if pool:
                    self._lives.note(event, pool)
                    self._starts.note(event, pool, counts=event.time in self._period)

    def figures(self, ledger: Mapping[str, Entry] | None, problems: Sequence[str] = ()) -> Figures:
        """To be called once, when all events are folded. ``ledger``: the entries of nodes that may have a VM."""
        self._lives.finish(ledger)
        loads = self._lives.pools()
        seconds = self._starts.seconds
        steps = _steps(sum(seconds.values(), Counter()))
        known = [pool.name for pool in self._manifest.pools]
        others = sorted((self._starts.pools() | {*loads}) - {*known})
        pools = tuple(
            self._pool(name, loads.get(name) or Loads(self._period).load(), steps) for name in (*known, *others)
        )
        return Figures(
            cluster=self._manifest.cluster or "",
            period=self._period,
            now=self._now,
            pools=tuple(sorted(pools, key=lambda pool: -pool.load.hours)),
            total=self._total(pools, steps),
            steps=steps,
            kinds=self._starts.kinds(),
            slowest=self._starts.slowest(),
            failed=self._starts.failed(),
            estimates=self._lives.estimates(),
            currency=self._manifest.currency,
            problems=tuple(problems),
        )

    def _want(self, event: Event) -> None:
        try:
            names = expand(event.text("hostlist"))
        except SlurmError:
            return
        self._starts.want(event.text("job"), (name for name in names if self._manifest.pool_of(name) is not None))

    def _pool(self, name: str, load: Load, steps: tuple[float, ...]) -> PoolFigures:
        boots = self._starts.seconds.get(name, Counter())
        price = self._manifest.vm_hour_price(name)
        return PoolFigures(
            pool=name,
            load=load,
            asked=self._starts.asked[name],
            failed=self._starts.failed_in(name),
            boots=boot_times(boots.elements()),
            longest=max(boots, default=None),
            histogram=_histogram(boots, steps),
            price=price,
            cost=None if price is None else price * load.hours,
        )

    def _total(self, pools: Sequence[PoolFigures], steps: tuple[float, ...]) -> PoolFigures:
        boots = sum(self._starts.seconds.values(), Counter())
        costs = [pool.cost for pool in pools if pool.cost is not None]
        return PoolFigures(
            pool="",
            load=self._lives.total(),
            asked=sum(pool.asked for pool in pools),
            failed=sum(pool.failed for pool in pools),
            boots=boot_times(boots.elements()),
            longest=max(boots, default=None),
            histogram=_histogram(boots, steps),
            price=None,
            cost=sum(costs) if costs else None,
        )


@lru_cache(maxsize=10_000)
def _plain(pool: str) -> str:
    return shortened(one_line(pool), 200)


def _steps(boots: "Counter[float]") -> tuple[float, ...]:
    """Bars of one round length, as many as the boots need; empty where there was none."""
    if not boots:
        return ()
    enough, seen = _FEW * boots.total(), 0
    longest = 0.0
    for seconds, count in sorted(boots.items()):
        seen += count
        longest = seconds
        if seen >= enough:
            break
    step = next((step for step in _STEPS if longest <= step * (_BARS - 1)), ceil(longest / (_BARS - 1)))
    bars = max(1, ceil(longest / step))
    return tuple(float(step * number) for number in range(1, bars + 1))


def _histogram(boots: "Counter[float]", steps: Sequence[float]) -> tuple[int, ...]:
    """So many up to each step, and those that took longer than all."""
    if not steps:
        return ()
    counts = [0] * (len(steps) + 1)
    for seconds, count in boots.items():
        counts[min(max(0, ceil(seconds / steps[0]) - 1), len(steps))] += count
    return tuple(counts)
