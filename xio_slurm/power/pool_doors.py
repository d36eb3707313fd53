"""Closes and opens pools: the breaker on record, one line in the log, and the pool's idle nodes out of use or back.

The record is always made: a resume then fails its nodes at once, without a request. Nodes are taken out of use only
where ``xio sync`` is at work, which gives them back in time.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from xio_slurm.deadline import Deadline
from xio_slurm.errors import LedgerError
from xio_slurm.events import Events
from xio_slurm.manifest import Manifest
from xio_slurm.naming import node_name
from xio_slurm.power.breaker import (
    EVERY_POOL,
    Breaker,
    Cause,
    after_boot,
    after_boot_failure,
    after_refusal,
    after_success,
    in_time,
)
from xio_slurm.power.breakers import Breakers
from xio_slurm.power.heartbeat import sync_is_alive
from xio_slurm.power.node_updates import reason
from xio_slurm.power.pool_nodes import to_drain, to_release, why_closed
from xio_slurm.power.situation import Gate
from xio_slurm.slurm.controller import Controller
from xio_slurm.slurm.states import NodeState

log = logging.getLogger("xio_slurm")


def drain(controller: Controller, manifest: Manifest, closed: Breaker, states: Iterable[NodeState]) -> tuple[str, ...]:
    """Take a closed pool's idle nodes out of use; which they are. Raises SlurmError."""
    idle = to_drain(states, manifest, closed.pool)
    controller.set_state(idle, "DRAIN", reason(closed.cause, why_closed(closed)))
    return idle


def release(
    controller: Controller, manifest: Manifest, opened: Breaker, states: Iterable[NodeState]
) -> tuple[str, ...]:
    """Give an open pool's nodes back; which they are. Raises SlurmError."""
    ours = to_release(states, manifest, opened.pool)
    controller.set_state(ours, "RESUME")
    return ours


class Doors(Struct, frozen=True):
    """Those of a manifest's pools, for one call. A breaker that can't be written is logged, and is as it was."""

    manifest: Manifest
    events: Events
    deadline: Deadline

    def now(self) -> Mapping[str, Breaker]:
        """The breakers as they are now, by their pool."""
        return Breakers(self.manifest.state_dir).now(time.time(), self.manifest.recovery)

    def refused(self, pool: str, cause: Cause, text: str) -> Breaker | None:
        """The EMS makes no VM for the pool. The breaker, if that closed it."""
        limits = self.manifest.recovery
        return self._changed(pool, lambda breaker: after_refusal(breaker, cause, text, time.time(), limits))

    def boot_failed(self, pool: str, vms: int, text: str) -> Breaker | None:
        """So many VMs of the pool were made and never came up. The breaker, if that closed it."""
        limits = self.manifest.recovery

        def counted(breaker: Breaker) -> Breaker:
            for _ in range(vms):
                breaker = after_boot_failure(breaker, text, time.time(), limits)
            return breaker

        return self._changed(pool, counted)

    def booted(self, pool: str) -> None:
        """A node of the pool came up."""
        self._changed(pool, after_boot)

    def succeeded(self, pool: str) -> Breaker | None:
        """The EMS made a VM for the pool. The breaker, if that opened it: not if it has been closed meanwhile."""
        return self._changed(pool, lambda breaker: breaker if breaker.gate is Gate.CLOSED else after_success(breaker))

    def drain(self, controller: Controller, closed: Iterable[Breaker]) -> None:
        """Take the closed pools' idle nodes out of use. Raises SlurmError."""
        if self._sync_is_alive():
            for breaker in closed:
                drain(controller, self.manifest, breaker, controller.nodes(self._nodes(breaker.pool)).values())

    def release(self, controller: Controller, opened: Iterable[Breaker]) -> None:
        """Give the opened pools' nodes back. Raises SlurmError."""
        if self._sync_is_alive():
            for breaker in opened:
                release(controller, self.manifest, breaker, controller.nodes(self._nodes(breaker.pool)).values())

    def _changed(self, pool: str, change: Callable[[Breaker], Breaker]) -> Breaker | None:
        """Change a breaker, after what time has done to it; what it is now, if it opened or closed."""
        limits = self.manifest.recovery
        try:
            before, after = Breakers(self.manifest.state_dir).change(
                pool, lambda breaker: change(in_time(breaker, time.time(), limits)), self.deadline.sooner(5.0)
            )
        except LedgerError as error:
            log.error("%s: %s stays as it was", error, f"pool {pool}" if pool else "the breaker of all pools")
            return None
        # A closing that was over, unseen by anybody, can be followed by another: then the gate is the same.
        closed = after.gate is Gate.CLOSED and (before.gate, before.since) != (after.gate, after.since)
        opened = after.gate is Gate.OPEN and before.gate is not Gate.OPEN
        if not closed and not opened:
            return None
        self._tell(after)
        return after

    def _tell(self, breaker: Breaker) -> None:
        which = breaker.pool or "all"
        if breaker.gate is Gate.OPEN:
            log.info("opened pool %s: the EMS makes VMs again", which)
            self.events.record("opened", pool=which)
        else:
            log.error("xio:%s %s", breaker.cause, why_closed(breaker))
            self.events.record("closed", pool=which, cause=breaker.cause, text=breaker.text, until=breaker.until)
            self._tell_of_profile(breaker.pool)

    def _tell_of_profile(self, pool: str) -> None:
        closed = {name for name, breaker in self.now().items() if breaker.gate is Gate.CLOSED}
        for profile in {each.profile for each in self.manifest.pools if each.name == pool}:
            pools = {each.name for each in self.manifest.pools if each.profile == profile}
            if len(pools) > 1 and pools <= closed:
                log.error("all %d pools of profile %s are closed: their jobs wait", len(pools), profile)
                self.events.record("closed-profile", profile=profile, pools=len(pools))

    def _nodes(self, pool: str) -> list[str]:
        return [
            node_name(self.manifest.node_prefix, each.name, number)
            for each in self.manifest.pools
            if pool in {EVERY_POOL, each.name}
            for number in range(1, each.size + 1)
        ]

    def _sync_is_alive(self) -> bool:
        return sync_is_alive(self.manifest.state_dir, time.time())
