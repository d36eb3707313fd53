"""Destroys the VMs of nodes, and sees them gone.

A delete that was answered isn't a VM that is gone: EMS may still be at it, or may have lost it. The entry in the
ledger says ``deleting`` until a look at the EMS proves the end, however many calls that takes.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.ems.vms import Vms
from xio_slurm.errors import EmsError, LedgerError
from xio_slurm.events import Events
from xio_slurm.ledger import Entry, Ledger, Run, Slot
from xio_slurm.manifest import Manifest
from xio_slurm.power.decide import OnSuspend, on_suspend
from xio_slurm.power.ems_access import listed_names
from xio_slurm.power.outcome import Done, Failed, Left, Outcome, failure
from xio_slurm.power.side_by_side import side_by_side
from xio_slurm.power.waiting import pauses

log = logging.getLogger("xio_slurm")

_LOOKS_BEFORE_ASKING_AGAIN: Final = 5


@dataclass(frozen=True, slots=True)
class Deletion:
    """Destroys VMs for one call."""

    manifest: Manifest
    vms: Vms
    ledger: Ledger
    events: Events
    run: Run
    deadline: Deadline

    def delete_all(self, nodes: Iterable[str]) -> tuple[Outcome, ...]:
        """Ask the EMS to delete the nodes' VMs, then look until they are gone or the deadline comes."""
        asked = tuple(side_by_side(self._delete, nodes, most=self.manifest.max_concurrent_requests))
        pending = frozenset(outcome.node for outcome in asked if isinstance(outcome, Done))
        gone = self._see_gone(pending)
        return tuple(
            outcome
            if outcome.node not in pending or outcome.node in gone
            else Failed(outcome.node, "ems", "the EMS was asked to delete the VM and still has it")
            for outcome in asked
        )

    def _delete(self, node: str) -> Outcome:
        with self.ledger.locked(node, self.deadline) as slot:
            entry = slot.read()
            match on_suspend(entry, run=self.run):
                case OnSuspend.YIELD:
                    return Left(node, "a program that was called later has seen to it")
                case OnSuspend.FOREIGN:
                    return Left(node, "its VM isn't ours")
                case OnSuspend.DELETE:
                    self._note(slot, entry or self._unknown(node))
                    self.events.record("deleting", node=node)
                    self.vms.delete(node, self.deadline)
                    return Done(node, "gone")

    def _note(self, slot: Slot, entry: Entry) -> None:
        try:
            slot.write(replace(entry, phase="deleting", run=self.run))
        except LedgerError as error:
            log.error("%s: the VM of %s is deleted all the same", error, entry.node)

    def _unknown(self, node: str) -> Entry:
        pool = self.manifest.pool_of(node)
        return Entry(node, pool.name if pool else "", "deleting", self.run, asked=self.run.called)

    def _see_gone(self, nodes: frozenset[str]) -> frozenset[str]:
        pending = set(nodes)
        for look, _ in enumerate(pauses(self.deadline), start=1):
            if not pending or self.deadline.passed():
                break
            for node in sorted(pending - self._existing(pending)):
                self._forget(node)
                pending.remove(node)
            if look % _LOOKS_BEFORE_ASKING_AGAIN == 0:
                # A delete can be lost, and two VMs can have one name.
                self._ask_again(pending)
        return nodes - pending

    def _ask_again(self, nodes: set[str]) -> None:
        for outcome in side_by_side(self._delete, sorted(nodes), most=self.manifest.max_concurrent_requests):
            if isinstance(outcome, Failed):
                log.warning("%s: %s", outcome.node, outcome.text)

    def _existing(self, nodes: set[str]) -> frozenset[str]:
        """Those of the nodes that the EMS has, or may have: a look that failed proves nothing."""
        listed = listed_names(self.vms, self.deadline)
        if listed is not None:
            return listed.intersection(nodes)
        looks = side_by_side(self._look, sorted(nodes), most=self.manifest.max_concurrent_requests)
        return frozenset(look.node for look in looks if not isinstance(look, Done))

    def _look(self, node: str) -> Outcome:
        try:
            vm = self.vms.get(node, self.deadline)
        except EmsError as error:
            return failure(node, error)
        return Done(node, "gone") if vm is None else Left(node, "still there")

    def _forget(self, node: str) -> None:
        try:
            with self.ledger.locked(node, Deadline.after(self.manifest.connect_timeout)) as slot:
                entry = slot.read()
                if entry is not None and entry.run.called <= self.run.called:
                    slot.remove()
        except LedgerError as error:
            log.error("%s", error)
        self.events.record("gone", node=node)
