"""Does what a look has decided, in bounded batches: Slurm first, since jobs wait, then the VMs."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.ems.vms import Vms
from xio_slurm.errors import SlurmError
from xio_slurm.events import Events
from xio_slurm.ledger import Ledger, Run
from xio_slurm.manifest import Manifest
from xio_slurm.power.breaker import Breaker
from xio_slurm.power.breakers import gate_of
from xio_slurm.power.decisions import NodeAction, VmAction
from xio_slurm.power.node_updates import reason
from xio_slurm.power.outcome import Failed
from xio_slurm.power.pool_nodes import why_closed
from xio_slurm.power.program import Call
from xio_slurm.power.report import report
from xio_slurm.power.resume import resume
from xio_slurm.power.side_by_side import side_by_side
from xio_slurm.power.sync.addresses import missing_addresses
from xio_slurm.power.sync.giving_up import GivingUp
from xio_slurm.power.sync.notices import Problem
from xio_slurm.power.sync.observation import Observation
from xio_slurm.power.sync.proposals import Proposal, some_of_each_pool
from xio_slurm.power.sync.vm_acts import VmActs
from xio_slurm.slurm.controller import Controller
from xio_slurm.slurm.hostlist import fold

log = logging.getLogger("xio_slurm")

PROGRAM: Final = "xio-sync"

_ENDS: Final = (VmAction.FINISH, VmAction.DELETE)
_NOTES: Final = (VmAction.ADOPT, VmAction.FORGET)


@dataclass(frozen=True, slots=True)
class Acting:
    """One pass's acts. ``vms`` is None where the EMS can't be connected; then nothing asks for it."""

    manifest: Manifest
    slurm: Controller
    vms: Vms | None
    ledger: Ledger
    events: Events
    deadline: Deadline
    stop: Callable[[], bool]
    seen: Observation
    breakers: Mapping[str, Breaker]
    run: Run

    def act(self, proposals: Sequence[Proposal]) -> tuple[Problem, ...]:
        """Do it; what couldn't be done is told, and comes again with the next look."""
        by_action: defaultdict[VmAction | NodeAction, list[Proposal]] = defaultdict(list)
        for proposal in proposals:
            by_action[proposal.action].append(proposal)
        problems: list[Problem] = []
        for step in (self._give_up, self._tell_states, self._end_vms, self._tell_addresses, self._ask):
            if not self.stop():
                problems += step(by_action)
        return tuple(problems)

    def _give_up(self, by_action: Mapping[VmAction | NodeAction, list[Proposal]]) -> Iterator[Problem]:
        giving_up = GivingUp(self.manifest, self.vms, self.ledger, self.events, self.deadline, self.run)
        certain = giving_up.certain(by_action.get(NodeAction.GIVE_UP, ()))
        if certain:
            self._decided(certain)
            giving_up.tell(certain)
        yield from ()

    def _tell_states(self, by_action: Mapping[VmAction | NodeAction, list[Proposal]]) -> Iterator[Problem]:
        wanted = [
            *((proposal, "POWER_DOWN") for proposal in by_action.get(NodeAction.POWER_DOWN, ())),
            *(
                (proposal, "POWER_DOWN")
                for proposal in some_of_each_pool(by_action.get(NodeAction.CYCLE, ()), self.seen)
            ),
            *((proposal, "RESUME") for proposal in by_action.get(NodeAction.RELEASE, ())),
            *((proposal, "RESUME") for proposal in by_action.get(NodeAction.RELEASE_ONE, ())),
            *((proposal, "DRAIN") for proposal in by_action.get(NodeAction.CLOSE, ())),
        ]
        if not wanted:
            return
        try:
            # A job may have come meanwhile: to DRAIN its node now would have it requeued.
            now = self.slurm.nodes(proposal.node for proposal, _ in wanted)
            self._set_states([each for each in wanted if now.get(each[0].node) == self.seen.states.get(each[0].node)])
        except SlurmError as error:
            yield Problem("slurm states", f"{error}: it is tried again", "Slurm takes the nodes' states again")

    def _set_states(self, wanted: Iterable[tuple[Proposal, str]]) -> None:
        alike: defaultdict[tuple[str, str | None], list[Proposal]] = defaultdict(list)
        for proposal, state in wanted:
            because = self._why_closed(proposal.pool) if state == "DRAIN" else None
            alike[state, because].append(proposal)
        for (state, because), proposals in alike.items():
            self._decided(proposals)
            self.slurm.set_state([proposal.node for proposal in proposals], state, because)
            for proposal in proposals:
                self.events.record("told", node=proposal.node, state=state, reason=because)

    def _why_closed(self, pool: str) -> str:
        breaker = gate_of(self.breakers, pool)
        return reason(breaker.cause, why_closed(breaker))

    def _end_vms(self, by_action: Mapping[VmAction | NodeAction, list[Proposal]]) -> Iterator[Problem]:
        if self.vms is None:
            return
        ends = [proposal for action in _ENDS for proposal in by_action.get(action, ())]
        most = self.manifest.recovery.most_deletes
        chosen = {
            proposal.node: proposal
            for proposal in (*ends[:most], *(each for action in _NOTES for each in by_action.get(action, ())))
        }
        self._decided(chosen.values())
        acts = VmActs(self.vms, self.ledger, self.events, self.run, self.deadline, self.stop)
        outcomes = tuple(
            side_by_side(
                lambda node: acts.act(chosen[node]), sorted(chosen), most=self.manifest.max_concurrent_requests
            )
        )
        failed = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
        report(self.events, [outcome for outcome in outcomes if not isinstance(outcome, Failed)])
        yield from _told(failed)
        if len(ends) > most:
            yield Problem("most", f"{len(ends) - most} VMs more are to be deleted: {most} in one pass at most")

    def _tell_addresses(self, by_action: Mapping[VmAction | NodeAction, list[Proposal]]) -> Iterator[Problem]:
        booting = by_action.get(VmAction.ADDRESS)
        if self.vms is None or not booting:
            return
        at_once = self.manifest.max_concurrent_requests
        missing = missing_addresses(booting, self.seen.states, self.vms, self.deadline, at_once=at_once)
        if not missing:
            return
        try:
            self.slurm.set_addresses(missing)
        except SlurmError as error:
            yield Problem("slurm addresses", f"{error}: it is tried again", "Slurm takes the nodes' addresses again")
            return
        log.info("told Slurm the addresses of %s", fold(missing))
        for node, address in sorted(missing.items()):
            asked = self.seen.entries[node].asked
            self.events.record("up", node=node, address=address, seconds=round(self.seen.time - asked, 1))

    def _ask(self, by_action: Mapping[VmAction | NodeAction, list[Proposal]]) -> Iterator[Problem]:
        asks = by_action.get(VmAction.ASK)
        if asks:
            self._decided(asks)
            # As slurmctld would call it once more: what fails is told to Slurm, to the jobs and to the pools.
            nodes = tuple(proposal.node for proposal in asks)
            resume(Call(PROGRAM, self.manifest, nodes, (), None, self.run, self.deadline, self.events))
        yield from ()

    def _decided(self, proposals: Iterable[Proposal]) -> None:
        """Say what is done and why: a line for all that is alike, an event for each node."""
        alike: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for proposal in proposals:
            words = str(proposal.action.value)
            alike[words, proposal.why].append(proposal.node)
            self.events.record("decided", node=proposal.node, action=words, why=proposal.why)
        for (words, why), nodes in alike.items():
            log.info("%s: %s: %s", fold(nodes), words, why)


def _told(failed: Iterable[Failed]) -> Iterator[Problem]:
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for each in failed:
        alike[f"xio:{each.code} {each.text}"].append(each.node)
    for words, nodes in alike.items():
        yield Problem(f"failed {words}", f"{fold(nodes)}: failed: {words}")
