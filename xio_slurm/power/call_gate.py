"""Which nodes of a call the EMS is asked for: none of a closed pool, and none more of a pool that it refuses now.

The breakers are read once. What the call itself finds out is on record at once, for the calls beside it.
"""

from collections.abc import Mapping
from threading import Lock
from typing import Final

from msgspec import Struct

from xio_slurm.power.breaker import EVERY_POOL, Breaker, Cause
from xio_slurm.power.breakers import gate_of
from xio_slurm.power.failures import TREATMENTS, Scope
from xio_slurm.power.outcome import Code, Failed
from xio_slurm.power.pool_doors import Doors
from xio_slurm.power.pool_nodes import why_closed
from xio_slurm.power.situation import Gate

_CAUSES: Final[Mapping[Code, Cause]] = {
    "capacity": "capacity",
    "rejected": "rejected",
    "unreachable": "unreachable",
}
"""The failures of a request that are its pool's matter, or that of all pools."""


class Closings(Struct, frozen=True):
    """The breakers that a call closed, and those that it opened."""

    closed: tuple[Breaker, ...]
    opened: tuple[Breaker, ...]


NOTHING_CHANGED: Final = Closings((), ())


class CallGate:
    """A call's, for all of its threads."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._at_start = doors.now()
        self._refused: dict[str, Failed] = {}
        self._made: set[str] = set()
        self._closed: list[Breaker] = []
        self._lock = Lock()

    def refusal(self, node: str, pool: str) -> Failed | None:
        """Why the EMS isn't asked for the node: its pool is closed, or was refused a moment ago. None: it is asked."""
        with self._lock:
            refused = self._refused.get(EVERY_POOL) or self._refused.get(pool)
        if refused is not None:
            return Failed(node, refused.code, refused.text)
        breaker = gate_of(self._at_start, pool)
        return Failed(node, "closed", why_closed(breaker)) if breaker.gate is Gate.CLOSED else None

    def failed(self, pool: str, failure: Failed) -> None:
        """The EMS made no VM for a node of the pool. If that is the pool's matter, it closes; told once."""
        cause = _CAUSES.get(failure.code)
        if cause is None:
            return
        name = EVERY_POOL if TREATMENTS[failure.code].closes is Scope.ALL else pool
        with self._lock:
            if name in self._refused:
                return
            self._refused[name] = failure
            closed = self._doors.refused(name, cause, failure.text)
            if closed is not None:
                self._closed.append(closed)

    def made(self, pool: str) -> None:
        """The EMS makes a VM for a node of the pool."""
        with self._lock:
            self._made.add(pool)

    def closings(self) -> Closings:
        """When all nodes have been seen to: what closed, and what opens since a VM was made."""
        tried = sorted({EVERY_POOL, *self._made}) if self._made else ()
        # A breaker that is as at first has nothing to forget, and costs nothing.
        in_doubt = [pool for pool in tried if pool in self._at_start and _in_doubt(self._at_start[pool])]
        opened = [breaker for pool in in_doubt if (breaker := self._doors.succeeded(pool)) is not None]
        return Closings(tuple(self._closed), tuple(opened))


def _in_doubt(breaker: Breaker) -> bool:
    return breaker != Breaker(breaker.pool, boot_failures=breaker.boot_failures)
