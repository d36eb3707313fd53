"""Nodes that won't come up, or whose VM is gone: Slurm, their jobs and their pools are told."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.ems.vms import Vms
from xio_slurm.errors import LedgerError
from xio_slurm.events import Events
from xio_slurm.ledger import Entry, Ledger, Run
from xio_slurm.manifest import Manifest
from xio_slurm.power.breaker import Breaker
from xio_slurm.power.call_gate import Closings
from xio_slurm.power.outcome import Done, Failed, Left, Outcome
from xio_slurm.power.pool_doors import Doors
from xio_slurm.power.report import report
from xio_slurm.power.side_by_side import side_by_side
from xio_slurm.power.situation import Power, Seen
from xio_slurm.power.sync.proposals import Proposal, failure_of
from xio_slurm.power.tell_slurm import tell_failures

log = logging.getLogger("xio_slurm")

_LOCK_SECONDS: Final = 5.0

MOST_LOOKS: Final = 100
"""VMs that one pass asks the EMS for, to be sure that they are gone."""


@dataclass(frozen=True, slots=True)
class GivingUp:
    """For one pass. ``vms`` is None where the EMS can't be connected."""

    manifest: Manifest
    vms: Vms | None
    ledger: Ledger
    events: Events
    deadline: Deadline
    run: Run

    def certain(self, proposals: Iterable[Proposal]) -> list[Proposal]:
        """Those of the nodes whose VM is of no use, or is gone when the EMS is asked for it alone."""
        found = list(proposals)
        listed = [proposal for proposal in found if proposal.situation.vm is Seen.THERE]
        missing = {proposal.node: proposal for proposal in found if proposal.situation.vm is not Seen.THERE}
        nodes = sorted(missing)[:MOST_LOOKS]
        looks = side_by_side(self._look, nodes, most=self.manifest.max_concurrent_requests)
        return listed + [missing[look.node] for look in looks if isinstance(look, Done)]

    def tell(self, proposals: Iterable[Proposal]) -> None:
        """Give the nodes up. A VM that didn't bring its node up counts against its pool."""
        given_up = list(proposals)
        failures = [failure_of(proposal, self.manifest.boot_timeout(proposal.pool)) for proposal in given_up]
        for failure in failures:
            if failure.code == "foreign":
                self._note_foreign(failure.node)
        report(self.events, failures)
        booting = {proposal.node: proposal.pool for proposal in given_up if proposal.situation.power is not Power.ON}
        closed = self._count([failure for failure in failures if failure.node in booting], booting)
        tell_failures(self.manifest, self.events, self.deadline, failures, closings=Closings(closed, ()), also_up=True)

    def _note_foreign(self, node: str) -> None:
        """Of a node never seen to: else the suspend that follows would delete the VM, as one from before us."""
        pool = self.manifest.pool_of(node)
        try:
            with self.ledger.locked(node, self.deadline.sooner(_LOCK_SECONDS)) as slot:
                if slot.read() is None and pool is not None:
                    slot.write(Entry(node, pool.name, "foreign", self.run, asked=self.run.called))
        except LedgerError as error:
            log.error("%s: the VM of %s, which isn't ours, may be taken for ours", error, node)

    def _count(self, failures: Iterable[Failed], pools: dict[str, str]) -> tuple[Breaker, ...]:
        boots = [failure for failure in failures if failure.code == "boot"]
        counts = Counter(pools[failure.node] for failure in boots)
        texts = {pools[failure.node]: failure.text for failure in boots}
        doors = Doors(self.manifest, self.events, self.deadline)
        after = [doors.boot_failed(pool, count, texts[pool]) for pool, count in sorted(counts.items())]
        return tuple(breaker for breaker in after if breaker is not None)

    def _look(self, node: str) -> Outcome:
        if self.vms is not None and self.vms.get(node, self.deadline) is None:
            return Done(node, "gone")
        return Left(node, "the EMS has it, or can't be asked")
