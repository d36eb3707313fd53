"""Why a pool is as it is. Pure."""

from collections import Counter

from xio_slurm.desk.looks import Unseen
from xio_slurm.desk.story.conclusion import Conclusion, Weight, count_of, fine, stuck, waits
from xio_slurm.desk.story.failed_starts import closed_pool, half_open_pool, remedy, start_sync
from xio_slurm.desk.story.job_cause import pools_of
from xio_slurm.desk.story.node_cause import node_cause
from xio_slurm.desk.story.seen import Seen
from xio_slurm.power.situation import Gate, Held, held_by
from xio_slurm.slurm.details import JobDetails, NodeDetails


def pool_cause(seen: Seen) -> Conclusion:
    """Whether it takes jobs, and if so, what hinders them."""
    pool = seen.subject.name
    breaker = seen.breaker(pool)
    if breaker.gate is Gate.CLOSED:
        return closed_pool(seen, breaker, "")
    if isinstance(seen.nodes, Unseen):
        return stuck(f"Slurm doesn't answer: {seen.nodes.why}", "see that slurmctld runs: systemctl status slurmctld")
    nodes = {name: node for name, node in seen.nodes.items() if seen.manifest.pool_name(name) == pool}
    if not nodes:
        return stuck(
            f"Slurm has no node of pool {pool}, though the manifest has it",
            "have slurm.conf include the node definitions and slurmctld read them: xio plan",
            "up to Slurm 22.05, PrivateData=cloud shows nodes that are powered down",
        )
    if breaker.gate is Gate.HALF_OPEN:
        return half_open_pool(seen, breaker, "")
    return _out_of_use(pool, nodes, seen) or _worst_node(pool, seen) or _all_is_well(pool, nodes, seen)


def _out_of_use(pool: str, nodes: dict[str, NodeDetails], seen: Seen) -> Conclusion | None:
    """Half of its nodes or more can't be used."""
    held = {name: held_by(node.state) for name, node in nodes.items()}
    out = [name for name, holder in held.items() if holder is not Held.NOBODY]
    if 2 * len(out) < len(nodes):
        return None
    reasons = Counter(nodes[name].state.reason or "no reason given" for name in out)
    ((reason, _),) = reasons.most_common(1)
    cause = f"{len(out)} of {len(nodes)} nodes of pool {pool} are out of use, most of them: {reason}"
    if Held.ADMINISTRATOR in {held[name] for name in out if nodes[name].state.reason == reason}:
        return stuck(cause, "when that is over: scontrol update nodename=NODES state=resume", "all of them: sinfo -R")
    if not seen.sync_is_alive:
        return stuck(cause, *start_sync("gives them back"))
    return waits(cause, f"see one of them from near: xio explain {out[0]}")


def _worst_node(pool: str, seen: Seen) -> Conclusion | None:
    """Of those that were looked at, since they boot or failed."""
    causes = {node: node_cause(node, seen) for node in seen.near}
    stuck_ones = {node: cause for node, cause in causes.items() if cause.weight is Weight.STUCK}
    if not stuck_ones:
        return None
    node, worst = next(iter(stuck_ones.items()))
    return Conclusion(
        worst.weight, f"pool {pool} takes jobs, but {worst.cause}", (*worst.todo, f"more: xio explain {node}")
    )


def _all_is_well(pool: str, nodes: dict[str, NodeDetails], seen: Seen) -> Conclusion:
    jobs = () if isinstance(seen.jobs, Unseen) else seen.jobs
    waiting = [job for job in jobs if job.waits and pool in pools_of(job, seen)]
    counted = seen.breaker(pool).boot_failures
    boots = f"; {count_of(counted, 'VM')} in a row never came up" if counted else ""
    if waiting:
        reasons = Counter(job.reason or "no reason yet" for job in waiting)
        ((reason, _),) = reasons.most_common(1)
        several = count_of(len(waiting), "job")
        return waits(
            f"pool {pool} takes jobs{boots}; {several} that may use it waiting, mostly for Slurm's reason {reason}",
            f"see why one of them does: xio explain {_first(waiting).id}",
        )
    idle = "no job waits for it" if not isinstance(seen.jobs, Unseen) else "jobs couldn't be looked at"
    if boots:
        return waits(f"pool {pool} takes jobs{boots}", *remedy("boot", "", pool))
    return fine(f"nothing is wrong with pool {pool}: it takes jobs, it has {count_of(len(nodes), 'node')}, and {idle}")


def _first(jobs: list[JobDetails]) -> JobDetails:
    return min(jobs, key=lambda job: job.number)
