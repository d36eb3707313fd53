"""Which nodes of a pool are taken out of use while it is closed, and which are given back: for the programs and sync.

Pure. ``EVERY_POOL`` means the nodes of all pools. Only powered-down nodes that no job has are touched: a node that is
up can do its work whatever the EMS says about new ones.
"""

import time
from collections.abc import Iterable, Iterator

from xio_slurm.manifest import Manifest
from xio_slurm.power.breaker import EVERY_POOL, Breaker
from xio_slurm.power.situation import Held, Power, Reserved, held_by, power_of, reserved_of
from xio_slurm.slurm.states import NodeState


def to_drain(states: Iterable[NodeState], manifest: Manifest, pool: str) -> tuple[str, ...]:
    """The nodes of a closed pool to set DRAIN: those that Slurm could give to any job."""
    off = _off(states, manifest, pool)
    return tuple(state.name for state in off if held_by(state) is Held.NOBODY and reserved_of(state) is Reserved.NO)


def to_release(states: Iterable[NodeState], manifest: Manifest, pool: str) -> tuple[str, ...]:
    """The nodes of an open pool to RESUME: those that bear a reason of ours, and nobody else's."""
    return tuple(state.name for state in _off(states, manifest, pool) if held_by(state) is Held.XIO)


def why_closed(breaker: Breaker) -> str:
    """A closed breaker in words; a drained node's reason is these after ``xio:<cause>``."""
    which = f"pool {breaker.pool} is closed" if breaker.pool != EVERY_POOL else "all pools are closed"
    until = "it is opened by hand" if breaker.until is None else time.strftime("%H:%M", time.localtime(breaker.until))
    return f"{which} until {until}: {breaker.text}"


def _off(states: Iterable[NodeState], manifest: Manifest, pool: str) -> Iterator[NodeState]:
    for state in states:
        found = manifest.pool_of(state.name)
        if found is not None and pool in {EVERY_POOL, found.name} and power_of(state) is Power.OFF:
            yield state
