"""Which starts were slow and which failed, and for which jobs."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Final

from xio_slurm.desk.boot_times import BOOTED
from xio_slurm.desk.event_log import Event
from xio_slurm.desk.report.figures import Boot, FailedStart, FailureKind
from xio_slurm.desk.story.failed_starts import MEANINGS
from xio_slurm.plain_text import one_line, shortened
from xio_slurm.secret_fields import masked

SLOWEST: Final = 10
FAILED: Final = 50
"""Starts that are told one by one."""

_LONGEST: Final = 300
_STARTERS: Final = frozenset({"xio-resume", "xio-sync"})
"""Programs whose failures are failed starts; the others end VMs."""

KINDS: Final = frozenset({"asking", "asked", BOOTED, "refused", "failed", "boot-failed", "surplus"})
"""Kinds of events about starts."""

_NOT_GONE: Final = "delete"
_OTHER: Final = "other"
_WORDS: Final = {
    **MEANINGS,
    _NOT_GONE: "its VM was to be deleted, and wasn't seen gone",
    _OTHER: "a reason that this release doesn't know",
}
_NO_STARTS: Final = frozenset({_NOT_GONE, "surplus"})


@dataclass(slots=True)
class _Node:
    """``failed``: the call for which its failure is counted. ``given_up``: its last VM's boot has failed."""

    job: str = ""
    failed: str = ""
    given_up: bool = False


class Starts:
    """Folds events, in the order of their times."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.seconds: defaultdict[str, Counter[float]] = defaultdict(Counter)
        self._failures: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._nodes: defaultdict[str, _Node] = defaultdict(_Node)
        self._slowest: list[tuple[tuple[float, float, str, str, str], Boot]] = []
        self._failed: list[tuple[tuple[float, str, str, str, str, str], FailedStart]] = []

    def want(self, job: str, nodes: Iterable[str]) -> None:
        """A job waits for these nodes."""
        for node in nodes:
            self._nodes[node].job = shortened(one_line(job), 40)

    def note(self, event: Event, pool: str, *, counts: bool) -> None:
        """What happened to a node. ``counts``: within the period; before it, it only explains what comes after."""
        match event.kind:
            case "asking":
                self._nodes[event.node].given_up = False
            case "asked":
                self.asked[pool] += counts
            case kind if kind == BOOTED:
                self._booted(event, pool, counts=counts)
            case "refused" | "failed" | "boot-failed" | "surplus":
                self._fail(event, pool, counts=counts)

    def failed_in(self, pool: str) -> int:
        """Starts that failed."""
        return sum(pools[pool] for code, pools in self._failures.items() if code not in _NO_STARTS)

    def pools(self) -> set[str]:
        """Pools of which something is told."""
        return {*self.asked, *self.seconds, *(pool for pools in self._failures.values() for pool in pools)}

    def kinds(self) -> tuple[FailureKind, ...]:
        """The most frequent first."""
        found = (
            FailureKind(code, _WORDS[code], code not in _NO_STARTS, pools.total(), _most_first(pools))
            for code, pools in self._failures.items()
        )
        return tuple(sorted(found, key=lambda kind: (-kind.count, kind.code)))

    def slowest(self) -> tuple[Boot, ...]:
        """The slowest first."""
        return tuple(boot for _, boot in sorted(self._slowest, key=lambda it: it[0], reverse=True))

    def failed(self) -> tuple[FailedStart, ...]:
        """The last ones, the newest first."""
        return tuple(start for _, start in sorted(self._failed, key=lambda it: it[0], reverse=True))

    def _booted(self, event: Event, pool: str, *, counts: bool) -> None:
        seconds = event.number("seconds")
        if not counts or seconds is None or not isfinite(seconds):
            return
        seconds = round(max(0.0, seconds), 1)
        self.seconds[pool][seconds] += 1
        if len(self._slowest) < SLOWEST or seconds >= self._slowest[0][0][0]:
            job = self._nodes[event.node].job
            boot = Boot(seconds, event.time, _plain(event.node), pool, job)
            _keep(self._slowest, ((seconds, event.time, event.node, pool, job), boot), SLOWEST)

    def _fail(self, event: Event, pool: str, *, counts: bool) -> None:
        node = self._nodes[event.node]
        code = self._code(event)
        if code not in _NO_STARTS:
            # Refused, and failed for that; given up by xio-sync, and then by Slurm: it is one failure.
            told = node.given_up if event.kind == "boot-failed" else bool(event.run) and node.failed == event.run
            node.failed = event.run
            node.given_up = node.given_up or code == "boot"
            if told:
                return
        if not counts:
            return
        self._failures[code][pool] += 1
        if code not in _NO_STARTS:
            text = _plain(event.text("text")) or ("slurmd didn't register in time" if code == "boot" else "")
            start = FailedStart(event.time, _plain(event.node), pool, node.job, code, text)
            _keep(self._failed, ((event.time, event.node, code, text, node.job, pool), start), FAILED)

    def _code(self, event: Event) -> str:
        if event.kind == "boot-failed":
            return "boot"
        if event.kind == "surplus":
            return "surplus"
        if event.kind == "failed" and event.program not in _STARTERS:
            return _NOT_GONE
        code = event.text("code")
        return code if code in MEANINGS else _OTHER


def _keep(kept: list, item: tuple, most: int) -> None:  # type: ignore[type-arg]
    if len(kept) < most:
        heapq.heappush(kept, item)
    else:
        heapq.heappushpop(kept, item)


def _plain(text: str) -> str:
    return str(masked(shortened(one_line(text), _LONGEST)))


def _most_first(pools: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(pools.items(), key=lambda item: (-item[1], item[0])))
