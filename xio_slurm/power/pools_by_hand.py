"""Pools that a person closes and opens: on record first, which every process sees, and then in Slurm.

Unlike the programs' own closings these don't wait for ``xio sync``: who closes a pool by hand opens it by hand.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from xio_slurm.deadline import Deadline
from xio_slurm.errors import SlurmError
from xio_slurm.events import Events
from xio_slurm.manifest import Manifest
from xio_slurm.power.breaker import EVERY_POOL, Breaker, closed_by_hand, opened_by_hand
from xio_slurm.power.breakers import Breakers, gate_of
from xio_slurm.power.pool_doors import drain, release
from xio_slurm.power.situation import Gate
from xio_slurm.slurm.controller import Controller
from xio_slurm.slurm.states import NodeState

_Tell = Callable[[Controller, Manifest, Breaker, Iterable[NodeState]], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Told:
    """What Slurm was told: the nodes of each pool, and what it couldn't be told."""

    nodes: Mapping[str, tuple[str, ...]]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ByHand:
    """The pools of a manifest, for one call of a command."""

    manifest: Manifest
    controller: Controller
    events: Events
    deadline: Deadline

    def now(self) -> Mapping[str, Breaker]:
        """The breakers as they are now, by their pool; those of pools that are as at first aren't among them."""
        return Breakers(self.manifest.state_dir).now(time.time(), self.manifest.recovery)

    def close(self, pools: Iterable[str], text: str) -> Told:
        """Close them until they are opened by hand. Raises LedgerError where that can't be put on record."""
        now = time.time()
        closed = {pool: self._record(pool, lambda breaker: closed_by_hand(breaker, text, now)) for pool in pools}
        for pool in closed:
            self.events.record("closed", pool=pool or "all", cause="administrator", text=text)
        return self._tell(closed, drain)

    def open(self, pools: Iterable[str]) -> Told:
        """Open them, whatever closed them; ``EVERY_POOL`` opens each. Raises LedgerError.

        While all pools are closed the nodes of one alone stay out of use.
        """
        wanted = dict.fromkeys(pools)
        every = EVERY_POOL in wanted
        for pool in (*wanted, *self.now()) if every else wanted:
            self._record(pool, opened_by_hand)
            self.events.record("opened", pool=pool or "all")
        if gate_of(self.now(), EVERY_POOL).gate is Gate.CLOSED:
            return Told({}, ())
        return self._tell({pool: Breaker(pool) for pool in ((EVERY_POOL,) if every else wanted)}, release)

    def _record(self, pool: str, change: Callable[[Breaker], Breaker]) -> Breaker:
        return Breakers(self.manifest.state_dir).change(pool, change, self.deadline)[1]

    def _tell(self, breakers: Mapping[str, Breaker], tell: _Tell) -> Told:
        try:
            states = self.controller.every_node().values()
        except SlurmError as error:
            return Told({}, (str(error),))
        told: dict[str, tuple[str, ...]] = {}
        problems = []
        for pool, breaker in breakers.items():
            try:
                told[pool] = tell(self.controller, self.manifest, breaker, states)
            except SlurmError as error:
                problems.append(str(error))
        return Told(told, tuple(problems))
