"""When each VM began and ended, by the events and, for those that live, by the ledger."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from xio_slurm.desk.boot_times import BOOTED
from xio_slurm.desk.event_log import Event
from xio_slurm.desk.report.figures import Estimates, Load, Period
from xio_slurm.desk.report.loads import Loads
from xio_slurm.ledger import Entry

_LIVES: Final = frozenset({"asking", "ours", "deleting"})
_SURELY: Final = frozenset({"ours", "deleting"})

KINDS: Final = frozenset({"asking", "asked", "adopted", BOOTED, "refused", "deleting", "deleted", "gone"})
"""Kinds of events that tell when a VM begins or ends."""


@dataclass(slots=True)
class _Node:
    """``began`` None: it has no VM that we know of. ``known``: an event told when it began.

    ``seen``: the last sign of its VM. ``ending``: the EMS was asked to delete it. ``absent``: it is known to have none.
    """

    pool: str
    began: float | None = None
    known: bool = True
    seen: float = 0.0
    asking: float | None = None
    ending: bool = False
    absent: bool = False


class Lives:
    """Folds events, in the order of their times, to the loads of the pools."""

    def __init__(self, period: Period, now: float) -> None:
        self._period = period
        self._now = now
        self._nodes: dict[str, _Node] = {}
        self._loads: defaultdict[str, Loads] = defaultdict(lambda: Loads(period))
        self._total = Loads(period)
        self._first: float | None = None
        self._counts = {"begins": 0, "ends": 0, "clock": 0, "living": 0}

    def note(self, event: Event, pool: str) -> None:
        """What happened to the VM of a node, of that pool."""
        if self._first is None:
            self._first = event.time
        if event.kind not in KINDS:
            return
        node = self._nodes.get(event.node)
        if node is None:
            node = self._nodes[event.node] = _Node(pool)
        self._see(node, event)
        node.pool, node.seen = pool, event.time

    def _see(self, node: _Node, event: Event) -> None:
        match event.kind:
            case "asking":
                # Before it is asked for a VM, the EMS is known to have none: the one before is gone.
                self._end(node, event.time, known=node.ending)
                node.asking = event.time
            case "asked":
                self._begin(node, event.time)
            case "adopted":
                self._begin(node, event.time if node.asking is None else node.asking, known=node.asking is not None)
            case kind if kind == BOOTED:
                seconds = event.number("seconds")
                self._begin(node, event.time - max(0.0, seconds or 0.0), known=seconds is not None)
            case "refused":
                node.absent = node.began is None
            case _:
                if not node.absent:
                    self._begin(node, self._origin(), known=False)
                node.ending = True
                if event.kind == "gone":
                    self._end(node, event.time, known=True)

    def finish(self, ledger: Mapping[str, Entry] | None) -> None:
        """End what has no end: VMs that live go on until now. ``ledger`` None: it isn't known, so all do."""
        for name, node in self._nodes.items():
            if node.began is None:
                continue
            if ledger is None or ((entry := ledger.get(name)) is not None and entry.phase in _LIVES):
                self._live_on(node)
            else:
                self._end(node, node.seen, known=False)
        for name, entry in (ledger or {}).items():
            before = self._nodes.get(name)
            if entry.phase in _SURELY and (before is None or entry.asked > before.seen):
                node = self._nodes[name] = _Node(entry.pool, began=entry.asked)
                self._live_on(node)

    def pools(self) -> Mapping[str, Load]:
        """By pool."""
        return {pool: loads.load() for pool, loads in self._loads.items()}

    def total(self) -> Load:
        """Of all pools."""
        return self._total.load()

    def estimates(self) -> Estimates:
        """What of it isn't wholly known."""
        first = self._first
        return Estimates(**self._counts, noted_since=first if first is not None and first in self._period else None)

    def _origin(self) -> float:
        """Where nothing tells when a VM began, it is the period's beginning; or that of the events, if later."""
        return max(self._period.since, self._first or 0.0)

    def _begin(self, node: _Node, time: float, *, known: bool = True) -> None:
        if node.began is None:
            node.began, node.known, node.ending, node.absent = time, known, False, False

    def _live_on(self, node: _Node) -> None:
        began = node.began
        self._end(node, max(self._now, began or 0.0), known=True)
        if began is not None and began <= self._period.until <= self._now:
            self._counts["living"] += 1

    def _end(self, node: _Node, time: float, *, known: bool) -> None:
        if node.began is None:
            return
        began, node.began, node.absent, node.asking = node.began, None, True, None
        if self._loads[node.pool].add(began, max(began, time)):
            self._total.add(began, max(began, time))
            self._counts["begins"] += not node.known
            self._counts["ends"] += not known
            self._counts["clock"] += time < began
