"""How the pools are, by what was seen: counts, and what is odd. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from xio_slurm.desk.boot_times import BootTimes, boot_times
from xio_slurm.desk.status_look import Look
from xio_slurm.ledger import Entry
from xio_slurm.manifest import Manifest, Pool
from xio_slurm.naming import node_name
from xio_slurm.power.breaker import Breaker
from xio_slurm.power.breakers import gate_of
from xio_slurm.power.decisions import VmAction
from xio_slurm.power.situation import Gate, Held, Power, held_by, power_of
from xio_slurm.power.sync.observation import Observation
from xio_slurm.power.sync.proposals import Proposal
from xio_slurm.slurm.states import NodeState

STATES: Final = ("off", "booting", "up", "busy", "idle", "ending", "failed", "closed", "out", "hidden")
"""States of nodes as they are counted.

off: powered down, ready for a job. up: has registered; busy and idle are up, too. failed: couldn't come up, or its VM
is gone. closed: out of use with its pool. out: an administrator took it out of use. hidden: Slurm doesn't show it.
"""

_POWERS: Final = {
    Power.OFF: ("off",),
    Power.CHOSEN: ("booting",),
    Power.POWERING_UP: ("booting",),
    Power.POWERING_DOWN: ("ending",),
    Power.ABSENT: ("hidden",),
}


@dataclass(frozen=True, slots=True)
class Booting:
    """A node that is powering up: its VM was asked for so many seconds ago, and is given up after ``deadline``."""

    node: str
    seconds: float
    deadline: float


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """One pool. None is what couldn't be seen.

    ``mismatches``: nodes about which ``xio sync`` would do something. ``orphans``: VMs of ours that nobody wants;
    ``foreign``: VMs that bear our nodes' names and aren't ours. ``breaker`` may be that of all pools. ``oldest`` is the
    node that has been booting for the longest; ``boots`` are those of the last 24 hours.
    """

    pool: str
    size: int
    breaker: Breaker
    nodes: Mapping[str, int] | None
    vms: int | None
    mismatches: int | None
    orphans: int | None
    foreign: int | None
    oldest: Booting | None
    boots: BootTimes | None

    @property
    def alerts(self) -> int:
        """What somebody should look at."""
        nodes = self.nodes or {}
        return (self.breaker.gate is not Gate.OPEN) + (self.mismatches or 0) + nodes.get("failed", 0)

    @property
    def quiet(self) -> bool:
        """Nothing goes on: every node is powered down, and no VM is there."""
        resting = self.nodes is None or self.nodes.get("off", 0) + self.nodes.get("hidden", 0) == self.size
        return resting and not self.alerts and not self.vms


@dataclass(frozen=True, slots=True)
class Status:
    """All of them. ``total`` bears the name of no pool. ``lost``: nodes to be seen to that no pool has any more.

    ``ems``: whether the EMS answered; None where nobody asked it.
    """

    time: float
    pools: tuple[PoolStatus, ...]
    total: PoolStatus
    breakers: Mapping[str, Breaker]
    ems: bool | None
    synced: bool
    lost: int
    problems: tuple[str, ...]


def status_of(
    manifest: Manifest, seen: Look, boots: Mapping[str, Sequence[float]], problems: Iterable[str] = ()
) -> Status:
    """The pools by one look and the seconds of recent boots. ``problems``: more than the look's own."""
    vms = None if seen.vms is None else Counter(_pool(manifest, name) for name in seen.vms)
    odd = _odd_ones(seen)
    pools = tuple(
        replace(
            _pool_status(manifest, pool, seen, None if vms is None else vms[pool.name], odd.get(pool.name, ())),
            boots=boot_times(boots.get(pool.name, ())),
        )
        for pool in manifest.pools
    )
    total = summed("", pools, (second for pool in manifest.pools for second in boots.get(pool.name, ())))
    lost = len({proposal.node for proposal in odd.get("", ())})
    return Status(
        time=seen.time,
        pools=pools,
        total=total,
        breakers=seen.breakers,
        ems=seen.ems,
        synced=seen.synced,
        lost=lost,
        problems=(*seen.problems, *problems),
    )


def summed(name: str, pools: Iterable[PoolStatus], boots: Iterable[float] = ()) -> PoolStatus:
    """Some pools as one, whose breaker is open."""
    some = tuple(pools)
    nodes: Counter[str] | None = None
    if all(each.nodes is not None for each in some):
        nodes = Counter()
        for each in some:
            nodes.update(each.nodes or {})
    return PoolStatus(
        pool=name,
        size=sum(each.size for each in some),
        breaker=Breaker(name),
        nodes=nodes,
        vms=_sum(each.vms for each in some),
        mismatches=_sum(each.mismatches for each in some),
        orphans=_sum(each.orphans for each in some),
        foreign=_sum(each.foreign for each in some),
        oldest=max((each.oldest for each in some if each.oldest), key=lambda it: it.seconds, default=None),
        boots=boot_times(boots),
    )


def states_of(state: NodeState | None, gate: Gate) -> tuple[str, ...]:
    """What a node counts as, while its pool's gate is so; a node that is up counts twice."""
    held, power = held_by(state), power_of(state)
    if held is Held.ADMINISTRATOR:
        return ("out",)
    if held is not Held.NOBODY and power is not Power.POWERING_DOWN:
        return ("closed",) if power is Power.OFF and gate is not Gate.OPEN else ("failed",)
    if state is None or power is not Power.ON:
        return _POWERS[power]
    if state.base in {"ALLOCATED", "MIXED"} or "COMPLETING" in state.flags:
        return ("up", "busy")
    return ("up", "idle") if state.base == "IDLE" else ("up",)


def _pool_status(manifest: Manifest, pool: Pool, seen: Look, vms: int | None, odd: Sequence[Proposal]) -> PoolStatus:
    breaker = gate_of(seen.breakers, pool.name)
    names = [node_name(manifest.node_prefix, pool.name, number) for number in range(1, pool.size + 1)]
    nodes = None
    if seen.seen is not None:
        states = seen.seen.states
        nodes = Counter(word for name in names for word in states_of(states.get(name), breaker.gate))
    known = seen.seen is not None and seen.vms is not None
    return PoolStatus(
        pool=pool.name,
        size=pool.size,
        breaker=breaker,
        nodes=nodes,
        vms=vms,
        mismatches=len({proposal.node for proposal in odd}) if known else None,
        orphans=sum(proposal.action is VmAction.DELETE for proposal in odd) if known else None,
        foreign=sum(proposal.action is VmAction.REPORT for proposal in odd) if known else None,
        oldest=_oldest(names, seen.seen, manifest.boot_timeout(pool.name)) if seen.seen is not None else None,
        boots=None,
    )


def _oldest(names: Iterable[str], seen: Observation, deadline: float) -> Booting | None:
    booting = (name for name in names if power_of(seen.states.get(name)) is Power.POWERING_UP)
    asked = ((_since(seen.entries.get(name)), name) for name in booting)
    first = min(((since, name) for since, name in asked if since is not None), default=None)
    return None if first is None else Booting(first[1], max(0.0, seen.time - first[0]), deadline)


def _since(entry: Entry | None) -> float | None:
    return entry.asked if entry is not None and entry.phase in {"asking", "ours"} else None


def _odd_ones(seen: Look) -> Mapping[str, Sequence[Proposal]]:
    """What sync would do, by pool. That Slurm may lack an address is no mismatch, but the usual care."""
    found: defaultdict[str, list[Proposal]] = defaultdict(list)
    for proposal in seen.proposals:
        if proposal.action is not VmAction.ADDRESS:
            found[proposal.pool].append(proposal)
    return found


def _pool(manifest: Manifest, node: str) -> str:
    pool = manifest.pool_of(node)
    return pool.name if pool is not None else ""


def _sum(values: Iterable[int | None]) -> int | None:
    known = tuple(values)
    return None if None in known else sum(value or 0 for value in known)
