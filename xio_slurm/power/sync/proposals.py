"""What is to be done about every node, by what was seen. Pure: the tables' answers, for nodes that need one."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from xio_slurm.ledger import Entry
from xio_slurm.manifest import Manifest
from xio_slurm.power.breaker import Breaker
from xio_slurm.power.breakers import gate_of
from xio_slurm.power.decisions import CONFIRMED, NODE_TABLE, VM_TABLE, NodeAction, VmAction
from xio_slurm.power.outcome import Failed
from xio_slurm.power.situation import (
    Age,
    Answering,
    Gate,
    Held,
    Known,
    Power,
    Seen,
    Situation,
    age_of,
    began,
    held_by,
    known_of,
    power_of,
    reserved_of,
)
from xio_slurm.power.sync.clock_jumps import set_ahead_since
from xio_slurm.power.sync.observation import Observation
from xio_slurm.slurm.states import NodeState

_QUIET: Final = frozenset({"CLOUD", "POWERED_DOWN"})
_NOT_OURS: Final = frozenset({Known.NEVER, Known.GONE, Known.FOREIGN})


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is to be done about one node's VM, or to be told to Slurm, and why.

    ``pool`` is empty for a node that the manifest has no more. ``entry`` is the ledger's, by which it was decided.
    """

    node: str
    pool: str
    action: VmAction | NodeAction
    why: str
    situation: Situation
    entry: Entry | None

    @property
    def needs_two_looks(self) -> bool:
        """Whether it is done only when a second look, later, says the same."""
        return self.action in CONFIRMED

    def same(self, other: "Proposal") -> bool:
        """Whether two looks say the same, by the same entry."""
        return (self.action, self.why, self.entry) == (other.action, other.why, other.entry)


def propose(seen: Observation, manifest: Manifest, breakers: Mapping[str, Breaker]) -> tuple[Proposal, ...]:
    """Everything that is to be done, in the order of names."""
    gates = {pool.name: gate_of(breakers, pool.name).gate for pool in manifest.pools}
    found: list[Proposal] = []
    let_through: set[str] = set()
    for node in sorted({*seen.states, *seen.entries, *seen.damaged, *(seen.vms or ())}):
        pool = manifest.pool_of(node)
        if pool is None and node not in seen.entries:
            continue
        gate = gates[pool.name] if pool is not None else Gate.OPEN
        if gate is Gate.OPEN and _is_quiet(node, seen):
            continue
        name = pool.name if pool is not None else ""
        situation = situation_of(node, name, seen, manifest, gate)
        if situation.held is Held.NOBODY and situation.power in {Power.OFF, Power.CHOSEN, Power.POWERING_UP}:
            let_through.add(name)
        found += _decided(node, name, situation, seen.entries.get(node))
    return tuple(_one_of_each_pool(found, let_through))


def situation_of(node: str, pool: str, seen: Observation, manifest: Manifest, gate: Gate) -> Situation:
    """One node of a pool, seen from all sides; the pool is empty for a node that the manifest has no more."""
    state, entry = seen.states.get(node), seen.entries.get(node)
    vm = Seen.UNKNOWN if seen.vms is None else Seen.THERE if node in seen.vms else Seen.NOT_THERE
    power = power_of(state)
    silent = state is not None and "NOT_RESPONDING" in state.flags
    tells = power is not Power.OFF or seen.silence_lasts
    now = seen.time - (set_ahead_since(began(entry), seen.jumps) if entry is not None else 0.0)
    return Situation(
        power=power,
        vm=vm,
        known=Known.DAMAGED if node in seen.damaged else known_of(entry),
        age=age_of(entry, now, grace=manifest.recovery.grace, boot_timeout=manifest.boot_timeout(pool)),
        held=held_by(state),
        gate=gate,
        reserved=reserved_of(state),
        answering=Answering.NO if silent and tells else Answering.YES,
    )


def failure_of(proposal: Proposal, boot_timeout: float) -> Failed:
    """A node that is given up, as Slurm, its jobs and its pool are told of it."""
    situation = proposal.situation
    if situation.vm is Seen.THERE and situation.known in _NOT_OURS:
        return Failed(proposal.node, "foreign", "the EMS has a VM of this name that this cluster didn't make")
    if situation.power is Power.ON:
        return Failed(proposal.node, "boot", "the VM is gone")
    if situation.age is Age.OVERDUE:
        return Failed(proposal.node, "boot", f"no slurmd registered within {boot_timeout:g} s: see 'xio vm show'")
    return Failed(proposal.node, "closed", "the pool was closed before a VM was made")


def some_of_each_pool(cycles: Iterable[Proposal], seen: Observation) -> Iterator[Proposal]:
    """Of the nodes to be powered down again a few at a time: until SuspendTimeout no job can have them."""
    by_pool: defaultdict[str, list[Proposal]] = defaultdict(list)
    for proposal in cycles:
        by_pool[proposal.pool].append(proposal)
    going = [node for node, state in seen.states.items() if power_of(state) is Power.POWERING_DOWN] if by_pool else []
    for found in by_pool.values():
        stem = found[0].node.rpartition("-")[0]
        at_it = sum(node.rpartition("-")[0] == stem for node in going)
        yield from found[: max(0, (len(found) + at_it + 3) // 4 - at_it)]


def _is_quiet(node: str, seen: Observation) -> bool:
    """Powered down, free, and without a VM: as most nodes are for most of the time."""
    state, entry = seen.states.get(node), seen.entries.get(node)
    return (
        _is_idle(state)
        and (entry is None or (entry.phase == "gone" and not entry.unanswered))
        and (seen.vms is None or node not in seen.vms)
    )


def _is_idle(state: NodeState | None) -> bool:
    return state is not None and state.base == "IDLE" and state.flags == _QUIET


def _decided(node: str, pool: str, situation: Situation, entry: Entry | None) -> Iterator[Proposal]:
    about_vm = VM_TABLE.decide(situation)
    # Without a pool nobody knows what to ask for, and Slurm's node is another's.
    if about_vm.action is not VmAction.NOTHING and (pool or about_vm.action is not VmAction.ASK):
        yield Proposal(node, pool, about_vm.action, about_vm.why, situation, entry)
    about_node = NODE_TABLE.decide(situation)
    if about_node.action is not NodeAction.NOTHING and pool:
        yield Proposal(node, pool, about_node.action, about_node.why, situation, entry)


def _one_of_each_pool(found: Iterable[Proposal], let_through: set[str]) -> Iterator[Proposal]:
    """A half-open pool lets one node through, unless one is on its way already."""
    through = set(let_through)
    for proposal in found:
        if proposal.action is NodeAction.RELEASE_ONE:
            if proposal.pool in through:
                continue
            through.add(proposal.pool)
        yield proposal
