"""What is done about one VM: under its node's lock, and only if the ledger says what it said when it was decided."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.ems.vms import Vms
from xio_slurm.events import Events
from xio_slurm.ledger import Entry, Ledger, Run, Slot
from xio_slurm.power.decisions import VmAction
from xio_slurm.power.outcome import Done, Left, Outcome
from xio_slurm.power.situation import Power
from xio_slurm.power.sync.proposals import Proposal

_LOCK_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class VmActs:
    """For one pass. ``run`` is called at the time of the look: a program that was called since then knows better."""

    vms: Vms
    ledger: Ledger
    events: Events
    run: Run
    deadline: Deadline
    stop: Callable[[], bool]

    def act(self, proposal: Proposal) -> Outcome:
        """Delete, adopt or forget. Raises XioError where that can't be done: the next pass tries again."""
        node = proposal.node
        if self.stop():
            return Left(node, "xio sync was asked to end")
        with self.ledger.locked(node, self.deadline.sooner(_LOCK_SECONDS)) as slot:
            entry = slot.read()
            if entry is None or entry != proposal.entry:
                return Left(node, "it has been seen to meanwhile")
            match proposal.action:
                case VmAction.ADOPT:
                    slot.add(entry.at("ours", self.run))
                    self.events.record("adopted", node=node)
                    return Done(node, "noted as ours")
                case VmAction.FORGET:
                    return self._forget(slot, entry)
                case _:
                    return self._end(slot, entry, proposal)

    def _forget(self, slot: Slot, entry: Entry) -> Outcome:
        # A list can lack a VM, and one that is forgotten would run for ever.
        if self.vms.get(entry.node, self.deadline) is not None:
            return Left(entry.node, "the EMS doesn't list its VM, and has it")
        slot.add(entry.at("gone", self.run))
        self.events.record("gone", node=entry.node, pool=entry.pool)
        return Done(entry.node, "noted as gone")

    def _end(self, slot: Slot, entry: Entry, proposal: Proposal) -> Outcome:
        # Where Slurm waits for the next VM of this name a resume may be at it: the turn stays its own.
        if entry.phase != "deleting" or proposal.situation.power is not Power.POWERING_UP:
            slot.add(entry.at("deleting", self.run))
        self.vms.delete(entry.node, self.deadline)
        self.events.record("deleted", node=entry.node, pool=entry.pool, why=proposal.why)
        return Done(entry.node, "deleted")
