"""Whether a pool takes jobs: a circuit breaker, so that jobs don't start in vain where the EMS can make no VM.

Open: it takes jobs. Closed: its powered-down nodes are drained, and Slurm places jobs elsewhere. Half-open: one node is
let through, to see. Pure: ``now`` is in seconds since 1970, so that the state means the same to every process and host.
"""

from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from xio_slurm.manifest import Recovery
from xio_slurm.power.situation import Gate

EVERY_POOL: Final = ""
"""The name under which the breaker of all pools stands: that of the EMS itself."""

Cause = Literal["", "capacity", "rejected", "unreachable", "boot", "administrator"]
"""Why it is closed, by the code of the failures; ``administrator``: by hand."""

_BY_HAND_ALONE: Final = frozenset({"boot", "administrator"})
"""Causes that no time mends: somebody must open the pool (``xio pool open``)."""


class Breaker(Struct, frozen=True, tag_field="version", tag=1, forbid_unknown_fields=True):
    """One pool's. ``until`` None while closed: until it is opened by hand.

    ``seconds`` is how long it was closed last; it is kept until a VM is made, so that the next failure closes for
    longer. ``boot_failures`` counts those in a row.
    """

    pool: str
    gate: Gate = Gate.OPEN
    cause: Cause = ""
    text: str = ""
    since: float = 0.0
    until: float | None = None
    seconds: float = 0.0
    boot_failures: int = 0


def after_refusal(breaker: Breaker, cause: Cause, text: str, now: float, limits: Recovery) -> Breaker:
    """The EMS makes no VM for the pool. Refusals while it is closed already are of the same cause, and change nothing.

    Each closing lasts twice as long as the one before, until a VM is made again.
    """
    if breaker.gate is Gate.CLOSED:
        return breaker
    seconds = min(max(limits.close_seconds, 2 * breaker.seconds), limits.longest_close_seconds)
    until = None if cause in _BY_HAND_ALONE else now + seconds
    return replace(breaker, gate=Gate.CLOSED, cause=cause, text=text, since=now, until=until, seconds=seconds)


def after_success(breaker: Breaker) -> Breaker:
    """The EMS made a VM for the pool: it opens, unless somebody must say so."""
    if breaker.cause in _BY_HAND_ALONE:
        return breaker
    return Breaker(breaker.pool, boot_failures=breaker.boot_failures)


def after_boot(breaker: Breaker) -> Breaker:
    """A node of the pool came up."""
    return replace(breaker, boot_failures=0)


def after_boot_failure(breaker: Breaker, text: str, now: float, limits: Recovery) -> Breaker:
    """A VM was made and never came up. So many of them in a row close the pool until somebody has looked at it."""
    counted = replace(breaker, boot_failures=breaker.boot_failures + 1)
    if counted.boot_failures < limits.boot_failures:
        return counted
    return after_refusal(counted, "boot", text, now, limits)


def in_time(breaker: Breaker, now: float, limits: Recovery) -> Breaker:
    """What time alone does: a closed pool becomes half-open, and a half-open one that nobody tried opens.

    A job of many nodes can't use one node, so waiting for a success would keep it out for ever; its failure closes
    the pool again, for longer. A ``since`` in the future is a clock that was set back: it counts from now.
    """
    if breaker.gate is Gate.CLOSED and breaker.until is not None:
        if breaker.since > now:
            return replace(breaker, since=now, until=now + breaker.seconds)
        if now >= breaker.until:
            return replace(breaker, gate=Gate.HALF_OPEN, since=now, until=now + limits.close_seconds)
    if breaker.gate is Gate.HALF_OPEN and (breaker.until is None or not breaker.since <= now < breaker.until):
        return replace(breaker, gate=Gate.OPEN, cause="", text="", since=now, until=None)
    return breaker


def closed_by_hand(breaker: Breaker, text: str, now: float) -> Breaker:
    """``xio pool close``."""
    return replace(breaker, gate=Gate.CLOSED, cause="administrator", text=text, since=now, until=None)


def opened_by_hand(breaker: Breaker) -> Breaker:
    """``xio pool open``: nothing of the past is held against it."""
    return Breaker(breaker.pool)
