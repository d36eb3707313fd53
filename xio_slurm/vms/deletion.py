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
    """A VM that somebody wants deleted. ``vm`` None: asked for it alone, the EMS has none.

    ``listed``: the EMS has one of the name all the same, by its list.
    """

    node: str
    vm: Vm | None
    entry: Entry | None
    listed: bool = False

    @property
    def exists(self) -> bool:
        """Whether the EMS has it, by whichever of its words."""
        return self.vm is not None or self.listed

    @property
    def is_ours(self) -> bool:
        """Whether the ledger calls it ours."""
        return is_ours(self.entry)


def look_at(access: VmAccess, node: str, deadline: Deadline) -> Doomed:
    """What the EMS and the ledger have of the name. Raises EmsError and LedgerError."""
    vm = access.vms.get(node, deadline)
    listed = vm is None and node in access.vms.names(deadline)
    return Doomed(node, vm, access.ledger.peek(node), listed=listed)


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
                with access.ledger.locked(node, deadline) as slot:
                    if is_ours(slot.read()):  # its owner's is gone, and Slurm has called for the node
                        done = "it is left now" if look else "nothing was done"
                        raise VmError(f"{node}: has become ours meanwhile: {done}")
                    access.vms.delete(node, deadline)
            if access.vms.get(node, deadline) is None and node not in access.vms.names(deadline):
                access.events.record("gone", node=node)
                return
            error = None
        except EmsError as failed:
            error = failed
    why = error or "the EMS was asked to delete the VM and still has it"
    raise VmError(f"{node}: isn't seen gone: {why}: run this again, or {ON_THE_EMS}")
