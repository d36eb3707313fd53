"""Deletes one VM by hand: ours as xio-suspend does, another's without a word in our ledger."""

from dataclasses import dataclass
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.ems.vms import Vm
from xio_slurm.errors import EmsError, VmError
from xio_slurm.ledger import Entry
from xio_slurm.power.outcome import Failed, Left
from xio_slurm.power.waiting import pauses
from xio_slurm.vms.access import VmAccess
from xio_slurm.vms.owner import is_ours

ON_THE_EMS: Final = "on the EMS, squeue lists the controllers' jobs and scancel ends one"

_LOOKS_BEFORE_ASKING_AGAIN: Final = 5


@dataclass(frozen=True, slots=True)
class Doomed:
    """A VM that somebody wants deleted. ``vm`` None: the EMS has none of the name."""

    node: str
    vm: Vm | None
    entry: Entry | None

    @property
    def is_ours(self) -> bool:
        """Whether the ledger calls it ours."""
        return is_ours(self.entry)


def look_at(access: VmAccess, node: str, deadline: Deadline) -> Doomed:
    """What the EMS and the ledger have of the name. Raises EmsError and LedgerError."""
    return Doomed(node, access.vms.get(node, deadline), access.ledger.peek(node))


def delete(access: VmAccess, doomed: Doomed, deadline: Deadline) -> None:
    """Delete the VM and see it gone. Raises XioError in one line when it isn't gone by the deadline."""
    if not doomed.is_ours:
        _delete_anothers(access, doomed.node, deadline)
        return
    (outcome,) = access.deletion(deadline).delete_all((doomed.node,))
    match outcome:
        case Left(node, why):
            raise VmError(f"{node}: nothing was done: {why}")
        case Failed(node, _, text):
            raise VmError(f"{node}: isn't seen gone: {text}: run this again, or {ON_THE_EMS}")


def _delete_anothers(access: VmAccess, node: str, deadline: Deadline) -> None:
    # Not in the ledger: whatever has the name later isn't ours either, and a broken-off delete must not make it so.
    access.events.record("deleting", node=node, whose="not ours")
    error: EmsError | None = None
    for look, _ in enumerate(pauses(deadline)):
        if look and deadline.passed():
            break
        try:
            if look % _LOOKS_BEFORE_ASKING_AGAIN == 0:  # it can be lost, and two VMs can have one name
                with access.ledger.locked(node, deadline):
                    access.vms.delete(node, deadline)
            if access.vms.get(node, deadline) is None:
                access.events.record("gone", node=node)
                return
            error = None
        except EmsError as failed:
            error = failed
    why = error or "the EMS was asked to delete the VM and still has it"
    raise VmError(f"{node}: isn't seen gone: {why}: run this again, or {ON_THE_EMS}")
