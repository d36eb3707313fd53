"""Events in the order of their times, whatever the order of their lines, in bounded memory. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from xio_slurm.desk.event_log import Event

APART: Final = 300.0
"""Seconds by which lines may be out of order: programs overlap, and two controllers have two clocks."""

_MOST: Final = 100_000
"""Events that wait for an earlier one; with more, the earlier half goes on."""

_LIFE: Final = (
    "wanted",
    "gone",
    "asking",
    "asked",
    "adopted",
    "refused",
    "failed",
    "boot-failed",
    "surplus",
    "registered",
    "deleting",
    "deleted",
)
_RANKS: Final = {kind: rank for rank, kind in enumerate(_LIFE)}
"""Which of two events of one time is first."""

_TELL_NOTHING: Final = frozenset({"gone", "asking", "asked", "deleting", "deleted"})
"""Kinds of which two about one node are alike."""


def in_order(events: Iterable[Event], now: float) -> Iterator[Event]:
    """The events by their times. What comes more than ``APART`` too late comes as it does: a clock was set back.

    A clock that ran ahead of ``now`` holds nothing up.
    """
    waiting: list[Event] = []
    newest = flushed = float("-inf")
    for event in events:
        waiting.append(event)
        newest = max(newest, min(event.time, now))
        if newest - flushed > 2 * APART or len(waiting) >= _MOST:
            waiting.sort(key=_key)
            ready = _before(waiting, newest - APART) or (len(waiting) // 2 if len(waiting) >= _MOST else 0)
            yield from waiting[:ready]
            del waiting[:ready]
            flushed = newest
    waiting.sort(key=_key)
    yield from waiting


def _key(event: Event) -> tuple[float, int, str, str]:
    told = "" if event.kind in _TELL_NOTHING else repr(event.details)
    return event.time, _RANKS.get(event.kind, len(_LIFE)), event.node, told


def _before(ordered: list[Event], time: float) -> int:
    return next((index for index, event in enumerate(ordered) if event.time > time), len(ordered))
