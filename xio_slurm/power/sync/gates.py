"""The pools' breakers in a pass: what time and answers do to them."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from xio_slurm.deadline import Deadline
from xio_slurm.errors import LedgerError
from xio_slurm.events import Events
from xio_slurm.manifest import Recovery
from xio_slurm.power.breaker import EVERY_POOL, Breaker, after_boot, after_success, in_time
from xio_slurm.power.breakers import Breakers
from xio_slurm.power.situation import Gate
from xio_slurm.power.sync.notices import Problem

log = logging.getLogger("xio_slurm")

_LOCK_SECONDS = 5.0


def after_look(breaker: Breaker, now: float, limits: Recovery, *, listed: bool) -> Breaker:
    """A breaker after a look at ``now``. ``listed``: whether the EMS told its VMs. Pure.

    The EMS's own opens when the EMS answers, and no sooner: each look is a try that costs no job.
    """
    if breaker.pool == EVERY_POOL and breaker.cause == "unreachable":
        if not listed:
            return breaker
        return after_success(breaker) if breaker.since <= now else in_time(breaker, now, limits)
    return in_time(breaker, now, limits)


@dataclass(frozen=True, slots=True)
class Gates:
    """The breakers on record, for one pass."""

    record: Breakers
    limits: Recovery
    events: Events
    deadline: Deadline

    def look(self, now: float, *, listed: bool) -> tuple[Mapping[str, Breaker], tuple[Problem, ...]]:
        """The breakers as they are after this look, and what kept them from being written."""
        breakers = dict(self.record.read())
        problems: list[Problem] = []
        for pool, before in list(breakers.items()):
            breakers[pool] = after_look(before, now, self.limits, listed=listed)
            if breakers[pool] != before:
                problems += self._write(pool, lambda found: after_look(found, now, self.limits, listed=listed))
        return breakers, tuple(problems)

    def came_up(self, pools: Iterable[str]) -> tuple[Problem, ...]:
        """Nodes of these pools have registered."""
        return tuple(problem for pool in pools for problem in self._write(pool, after_boot))

    def _write(self, pool: str, change: Callable[[Breaker], Breaker]) -> tuple[Problem, ...]:
        try:
            before, after = self.record.change(pool, change, self.deadline.sooner(_LOCK_SECONDS))
        except LedgerError as error:
            return (Problem(f"breaker {pool}", f"{error}: pool {pool or 'all'} stays as it was"),)
        if before.gate is not after.gate:
            word = {Gate.OPEN: "opened", Gate.HALF_OPEN: "half-opened", Gate.CLOSED: "closed"}[after.gate]
            log.info("%s %s", f"pool {pool}" if pool else "all pools", word)
            self.events.record(word, pool=pool or "all")
        return ()
