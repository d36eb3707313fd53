"""Judges nodes, their VMs and their pools, by the tables of ``xio sync``: what it would do is what is wrong. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from xio_slurm.desk.doctor.finding import Area, Finding, error, note, warning
from xio_slurm.desk.doctor.seen import Cluster, Seen, known
from xio_slurm.power.breaker import EVERY_POOL, Breaker
from xio_slurm.power.decisions import NodeAction, VmAction
from xio_slurm.power.pool_nodes import why_closed
from xio_slurm.power.situation import Gate, Held, Power, held_by
from xio_slurm.power.situation import Seen as Sight
from xio_slurm.power.sync.proposals import Proposal
from xio_slurm.slurm.hostlist import fold

_MEMORY: Final = re.compile(r"Low RealMemory(?: \(reported:(\d+) < [\d.]+% of configured:(\d+)\))?")
"""slurmctld's words for a node that registers with too little (node_mgr.c); the numbers since 21.08."""

_TOLERABLE: Final = 50
"""Percent of RealMemory: a guest with less has another size than was meant."""

_SHOWN: Final = 80
"""Characters of a hostlist or of others' words in a line."""

_SYNC_DOES_IT: Final = "nothing: xio sync sees to it within minutes"
_SYNC_MUST: Final = "xio sync --once"
_ENDS: Final = (VmAction.DELETE, VmAction.FINISH)
_TOLD_APART: Final = (*_ENDS, VmAction.REPORT, NodeAction.GIVE_UP, NodeAction.CLOSE, VmAction.ADDRESS, VmAction.FORGET)


def memory(seen: Seen) -> Iterator[Finding]:
    """Have the nodes the memory that slurm.conf says?"""
    registered = known(seen.registrations)
    by_pool: defaultdict[str, list[tuple[str, str, int]]] = defaultdict(list)
    for node, state in known(seen.cluster).observation.states.items():
        pool, low = seen.manifest.pool_of(node), _MEMORY.match(state.reason)
        if pool is None or low is None or node not in registered:
            continue
        configured = registered[node].real_memory
        # A reason stays when the node is powered down, and also when somebody has mended what it speaks of.
        if low[2] is None or int(low[2]) == configured:
            by_pool[pool.name].append((node, low[1] or "less", configured))
    for name, low_nodes in by_pool.items():
        node, has, configured = low_nodes[0]
        what = f"pool {name}: RealMemory={configured} is too much: {node} registered with {has} MiB"
        percent = 100 * int(has) // configured if has.isdecimal() else 0
        tolerated = f"SlurmctldParameters=node_reg_mem_percent={percent}, then systemctl restart slurmctld"
        mend = tolerated if percent >= _TOLERABLE else "a MaxMemory that its VMs really get, then xio apply"
        yield error(Area.MEMORY, what, mend)


def registered(seen: Seen) -> Iterator[Finding]:
    """Did nodes register with all else that slurm.conf says? And has somebody taken nodes out of use?"""
    held: defaultdict[tuple[Held, str], list[str]] = defaultdict(list)
    for node, state in known(seen.cluster).observation.states.items():
        if seen.manifest.pool_of(node) is not None and not _MEMORY.match(state.reason):
            held[held_by(state), state.reason].append(node)
    for (who, why), nodes in held.items():
        if who is Held.REGISTRATION:
            what = f"{_some(nodes)}: registered with less than slurm.conf says: {why[:_SHOWN]}"
            yield error(Area.NODES, what, "CPUs and image of the pool, then xio apply")
        elif who is Held.ADMINISTRATOR:
            what = f"{_some(nodes)}: taken out of use by an administrator: {why[:_SHOWN] or 'no reason given'}"
            yield note(Area.NODES, what, f"scontrol update NodeName={_some(nodes)} State=RESUME")


def boots(seen: Seen) -> Iterator[Finding]:
    """Do the nodes that Slurm waits for come up?"""
    cluster = known(seen.cluster)
    alike: defaultdict[tuple[str, str], list[Proposal]] = defaultdict(list)
    for each in cluster.proposals:
        if each.action is NodeAction.GIVE_UP:
            alike[each.pool, _why_not_up(each, cluster)].append(each)
    for (pool, why), found in alike.items():
        asked = min((each.entry.asked for each in found if each.entry is not None), default=None)
        since = f" {cluster.observation.time - asked:.0f} s after it was asked for" if asked is not None else ""
        nodes = _some(each.node for each in found)
        yield error(Area.BOOTS, f"{nodes}: {why}{since}", _look_at(found[0].node, pool))
    for name, breaker in cluster.breakers.items():
        if breaker.gate is Gate.OPEN and breaker.boot_failures:
            count = breaker.boot_failures
            which = "the last VM was made and its node never came up"
            what = f"pool {name}: {which if count == 1 else f'{count} VMs in a row were made, and no node came up'}"
            yield warning(Area.BOOTS, what, f"xio vm test --pool {name}")


def _why_not_up(proposal: Proposal, cluster: Cluster) -> str:
    if proposal.situation.power is not Power.POWERING_UP or proposal.situation.vm is not Sight.THERE:
        return proposal.why
    if proposal.node not in cluster.addresses:
        return proposal.why
    address = cluster.addresses[proposal.node]
    if address is None:
        return "the VM never boots: it has no address"
    return f"the VM is up at {address}, and its slurmd never registered"


def _look_at(node: str, pool: str) -> str:
    return f"xio vm show {node}; its console says why ('xspot console'); then xio vm test --pool {pool}"


def pools(seen: Seen) -> Iterator[Finding]:
    """Do the pools take jobs?"""
    for pool, breaker in known(seen.cluster).breakers.items():
        which = f"pool {pool}" if pool != EVERY_POOL else "all pools"
        again = f"xio pool open {pool or '--all'}"
        if breaker.gate is Gate.HALF_OPEN:
            yield note(Area.POOLS, f"{which}: half-open: one node is let through, to see: {breaker.text}", "nothing")
        elif breaker.gate is Gate.CLOSED:
            yield _closed(breaker, again)


def _closed(breaker: Breaker, again: str) -> Finding:
    what = why_closed(breaker)
    match breaker.cause:
        case "capacity":
            return warning(Area.POOLS, f"no capacity: {what}", f"nothing: it opens by itself; to try at once: {again}")
        case "administrator":
            return warning(Area.POOLS, what, again)
        case "boot":
            return error(Area.BOOTS, what, f"xio vm test --pool {breaker.pool}, then {again}")
    return error(Area.POOLS, what, f"see to what the EMS says, then {again}")


def vms(seen: Seen) -> Iterator[Finding]:
    """Has the EMS VMs that nobody wants, or that bear our names and aren't ours?"""
    cluster = known(seen.cluster)
    lost = [each.node for each in cluster.proposals if each.action in _ENDS]
    if lost:
        what = f"{_some(lost)}: VMs of ours run that no node wants: they cost money"
        if seen.sync_is_alive:
            yield warning(Area.VMS, what, _SYNC_DOES_IT)
        else:
            yield error(Area.VMS, what, _SYNC_MUST)
    foreign = [each.node for each in cluster.proposals if each.action is VmAction.REPORT]
    if foreign:
        what = f"{_some(foreign)}: the EMS has VMs of these names that this cluster didn't make"
        yield warning(Area.VMS, what, "delete them where they belong, or choose another NodePrefix")


def ledger(seen: Seen) -> Iterator[Finding]:
    """Can the ledger be read?"""
    for problem in known(seen.cluster).observation.problems:
        if problem.about.startswith("entry "):
            path = problem.text.partition(": ")[0]
            yield error(Area.STATE, problem.text, f"when its VM is gone from the EMS: rm {path}")


def undone(seen: Seen) -> Iterator[Finding]:
    """Is anything left that only xio sync would do?"""
    alike: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for each in known(seen.cluster).proposals:
        if each.action not in _TOLD_APART:
            alike[str(each.action.value), each.why].append(each.node)
    if not seen.sync_is_alive:
        for (action, why), nodes in alike.items():
            yield warning(Area.NODES, f"{_some(nodes)}: {why} (to be done: {action})", _SYNC_MUST)


def _some(nodes: Iterable[str]) -> str:
    text = fold(nodes)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
