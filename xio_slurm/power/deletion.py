"""Destroys the VMs of nodes, and sees them gone.

A delete that was answered isn't a VM that is gone: EMS may still be at it, or may have lost it. The entry in the
ledger says ``deleting`` until a look at the EMS proves the end, however many calls that takes.
"""

import logging
import time
from collections.abc import Container, Iterable
from typing import Final

from msgspec import Struct

from xio_slurm.deadline import Deadline
from xio_slurm.ems.vms import Vms
from xio_slurm.errors import EmsError, LedgerError, LedgerUnusable
from xio_slurm.events import Events
from xio_slurm.ledger import Entry, Ledger, Phase, Run, Slot
from xio_slurm.manifest import Manifest
from xio_slurm.power.decide import OnSuspend, on_suspend
from xio_slurm.power.ems_access import listed_names
from xio_slurm.power.outcome import Done, Failed, Left, Outcome, failure
from xio_slurm.power.side_by_side import side_by_side
from xio_slurm.power.waiting import pauses
from xio_slurm.slurm.hostlist import CHUNK

log = logging.getLogger("xio_slurm")

_LOOKS_BEFORE_ASKING_AGAIN: Final = 5


class Deletion(Struct, frozen=True):
    """Destroys VMs for one call. ``in_use``: the nodes whose VMs stay, since Slurm uses them again."""

    manifest: Manifest
    vms: Vms
    ledger: Ledger
    events: Events
    run: Run
    deadline: Deadline
    in_use: Container[object]

    def delete_all(self, nodes: Iterable[str]) -> tuple[Outcome, ...]:
        """Ask the EMS to delete the nodes' VMs, then look until they are gone or the deadline comes.

        A delete that failed is asked again like one that was lost: Slurm doesn't call twice for a node.
        """
        asked: list[Outcome] = []
        settled: dict[str, Outcome] = {}
        for outcome in side_by_side(self._delete, nodes, most=self.manifest.max_concurrent_requests):
            asked.append(outcome)
            if len(asked) % CHUNK == 0:
                settled |= self._forget_listed_no_more(_pending(asked[-CHUNK:]))
        settled |= self._see_gone(_pending(asked) - settled.keys())
        return tuple(settled.get(outcome.node) or _in_the_end(outcome) for outcome in asked)

    def _delete(self, node: str) -> Outcome:
        try:
            with self.ledger.locked(node, self.deadline) as slot:
                return self._act(slot, node, slot.read())
        except LedgerUnusable as error:
            # Nobody can lock or write there, so nobody works on the node beside us: the VM must go all the same.
            log.warning("%s", error)
            return self._act(None, node, self.ledger.peek(node))

    def _act(self, slot: Slot | None, node: str, entry: Entry | None) -> Outcome:
        match on_suspend(entry, run=self.run, now=time.time()):
            case OnSuspend.YIELD:
                return Left(node, "a program that was called later has seen to it")
            case OnSuspend.FOREIGN:
                return Left(node, "its VM isn't ours")
            case OnSuspend.NOTHING:
                self._note(slot, entry, node, "gone")
                return Left(node, "it has no VM of ours")
            case OnSuspend.DELETE if node in self.in_use:
                return Left(node, "Slurm uses the node: 'scontrol update nodename=… state=power_down' ends that")
            case OnSuspend.DELETE:
                self._note(slot, entry, node, "deleting")
                self.events.record("deleting", node=node)
                self.vms.delete(node, self.deadline)
                return Done(node, "gone")

    def _note(self, slot: Slot | None, entry: Entry | None, node: str, phase: Phase) -> None:
        if slot is None:
            return
        pool = self.manifest.pool_of(node)
        noted = entry or Entry(node, pool.name if pool else "", phase, self.run, asked=self.run.called)
        try:
            slot.add(noted.at(phase, self.run))
        except LedgerError as error:
            log.error("%s: the VM of %s is deleted all the same", error, node)

    def _forget_listed_no_more(self, pending: set[str]) -> dict[str, Outcome]:
        """The outcomes of those that are gone already, while the deletes of others wait for the EMS's answers."""
        listed = listed_names(self.vms, self.deadline) if pending else None
        return {} if listed is None else self._forgotten(pending - listed)

    def _see_gone(self, pending: set[str]) -> dict[str, Outcome]:
        """The outcomes of the nodes that are settled before the deadline: their VMs are gone, or another's matter."""
        settled: dict[str, Outcome] = {}
        missed: frozenset[str] = frozenset()
        if not pending:
            return settled
        for look, _ in enumerate(pauses(self.deadline), start=1):
            if self.deadline.passed():
                break
            waiting = pending - settled.keys()
            gone, missed = self._gone(waiting, missed)
            settled |= self._forgotten(gone)
            if look % _LOOKS_BEFORE_ASKING_AGAIN == 0:
                # A delete can be lost, and two VMs can have one name.
                settled |= self._ask_again(waiting - gone)
            if pending <= settled.keys():
                break
        return settled

    def _ask_again(self, nodes: set[str]) -> dict[str, Outcome]:
        """Those of the nodes that are to be left now, since a program that was called later has seen to them."""
        left: dict[str, Outcome] = {}
        for outcome in side_by_side(self._delete, sorted(nodes), most=self.manifest.max_concurrent_requests):
            match outcome:
                case Left(node):
                    left[node] = outcome
                case Failed(node, _, text):
                    log.warning("%s: %s", node, text)
        return left

    def _gone(self, nodes: set[str], missed: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Those of the nodes whose VMs are gone, and those that a look at them alone didn't find.

        A look that failed proves nothing, and one that finds no VM little: an EMS that can't list them may be one that
        restarts, and what says 404 a proxy before it. So a VM is gone that was ``missed`` the time before, too: for one
        that was taken to be gone and isn't nobody would ever look again.
        """
        listed = listed_names(self.vms, self.deadline)
        if listed is not None:
            return frozenset(nodes - listed), frozenset()
        looks = side_by_side(self._look, sorted(nodes), most=self.manifest.max_concurrent_requests)
        not_found = frozenset(look.node for look in looks if isinstance(look, Done))
        return not_found & missed, not_found

    def _look(self, node: str) -> Outcome:
        try:
            vm = self.vms.get(node, self.deadline)
        except EmsError as error:
            return failure(node, error)
        return Done(node, "gone") if vm is None else Left(node, "still there")

    def _forgotten(self, gone: Iterable[str]) -> dict[str, Outcome]:
        outcomes = side_by_side(self._forget, sorted(gone), most=self.manifest.max_concurrent_requests)
        return {outcome.node: outcome for outcome in outcomes}

    def _forget(self, node: str) -> Outcome:
        self.events.record("gone", node=node, seconds=round(time.time() - self.run.called, 1))
        try:
            with self.ledger.locked(node, Deadline.after(self.manifest.connect_timeout)) as slot:
                entry = slot.read()
                if entry is None or entry.run.id == self.run.id:
                    self._note(slot, entry, node, "gone")
        except LedgerError as error:
            log.error("%s", error)
        return Done(node, "gone")


def _pending(asked: Iterable[Outcome]) -> set[str]:
    """The nodes whose VMs are to be seen gone."""
    return {
        outcome.node
        for outcome in asked
        if isinstance(outcome, Done) or (isinstance(outcome, Failed) and outcome.code not in {"ledger", "bug"})
    }


def _in_the_end(asked: Outcome) -> Outcome:
    """What an outcome is worth whose VM wasn't seen gone."""
    if isinstance(asked, Done):
        return Failed(asked.node, "ems", "the EMS was asked to delete the VM and still has it")
    return asked
