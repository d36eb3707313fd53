"""Why a job is as it is. Pure."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Final

from xio_slurm.desk.looks import Unseen
from xio_slurm.desk.story.conclusion import Conclusion, Weight, clock, count_of, fine, stuck, waits
from xio_slurm.desk.story.failed_starts import (
    closed_pool,
    half_open_pool,
    remedy,
    split_reason,
    start_sync,
    what_happened,
)
from xio_slurm.desk.story.node_cause import node_cause
from xio_slurm.desk.story.seen import HOLDING, Seen
from xio_slurm.power.breaker import EVERY_POOL, Breaker
from xio_slurm.power.situation import Gate, Held, Power, held_by, power_of
from xio_slurm.slurm.details import JobDetails

_FOR_NODES: Final = ("Resources", "Nodes_required_for_job_are_DOWN", "ReqNodeNotAvail", "NodeDown", "PartitionConfig")
"""Reasons of Slurm's that are about nodes, and so perhaps about us."""

_REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "Priority": ("other jobs of its partition come first", "see which: squeue -p {partition} --sort=-p"),
    "Dependency": ("it waits for another job", "see which: scontrol show job {job}"),
    "DependencyNeverSatisfied": ("the job that it waits for failed, so it never begins", "scancel {job}"),
    "BeginTime": ("it may not begin before its time", "wait, or: scontrol update jobid={job} starttime=now"),
    "Licenses": ("no license is free", "see them: scontrol show licenses"),
    "Reservation": ("it waits for its reservation", "see it: scontrol show reservation"),
    "BadConstraints": (
        "no node can ever do what it asks for",
        "ask for less, or other features: scontrol show job {job}",
    ),
    "JobArrayTaskLimit": ("so many tasks of its array run already as may", "wait"),
    "PartitionDown": ("its partition is down", "scontrol update partitionname={partition} state=up"),
    "PartitionInactive": ("its partition is inactive", "scontrol update partitionname={partition} state=up"),
    "PartitionNodeLimit": (
        "it asks for more nodes than its partition allows",
        "ask for fewer: scontrol show job {job}",
    ),
    "PartitionTimeLimit": ("it asks for more time than its partition allows", "ask for less: scontrol show job {job}"),
    "JobHoldMaxRequeue": ("it was requeued too often", "scontrol release {job}"),
    "launch_failed_requeued_held": ("its launch failed, and it was requeued and held", "scontrol release {job}"),
}
"""Slurm's own words why a job waits, in ours, and what to do."""

_LIMITS: Final = ("QOS", "Assoc", "MaxMemPerLimit", "MaxCpuPer", "InvalidQOS", "InvalidAccount")


def job_cause(seen: Seen) -> Conclusion:
    """Why the job is as it is; of the tasks of an array the one that is worst off."""
    name = seen.subject.name
    if isinstance(seen.jobs, Unseen):
        return stuck(f"Slurm doesn't answer: {seen.jobs.why}", "see that slurmctld runs: systemctl status slurmctld")
    if not seen.jobs:
        return fine(f"Slurm doesn't know job {name} any more, or never did", f"where accounting is on: sacct -j {name}")
    conclusions = [_task_cause(job, seen) for job in seen.jobs]
    return max(conclusions, key=lambda conclusion: conclusion.weight)


def _task_cause(job: JobDetails, seen: Seen) -> Conclusion:
    if job.waits:
        return _waits(job, seen)
    if job.state in HOLDING:
        return _has_nodes(job, seen)
    words = job.state.lower().replace("_", " ")
    why = f", {job.reason}" if job.reason else ""
    conclude = fine if job.state in {"COMPLETED", "CANCELLED"} else stuck
    todo = "nothing" if job.state in {"COMPLETED", "CANCELLED"} else f"see its own output: scontrol show job {job.id}"
    return conclude(f"job {job.id} has ended: {words}{why}", todo)


def _has_nodes(job: JobDetails, seen: Seen) -> Conclusion:
    """It waits for the worst of its nodes, where one isn't as it should be."""
    ours = [node for node in job.nodes if seen.is_ours(node)]
    booting = [node for node in ours if _is_coming(node, seen)]
    worst = max((node_cause(node, seen) for node in booting or ours), key=lambda found: found.weight, default=None)
    if worst is None:
        return fine(f"none of the nodes of job {job.id} is one of xio-slurm's")
    if worst.weight is Weight.FINE:
        what = "it begins in a moment" if job.state == "CONFIGURING" else f"it is {job.state.lower()}"
        return fine(f"nothing is wrong with job {job.id}: {what} on {count_of(len(job.nodes), 'node')}")
    which = f"{len(booting)} of {len(job.nodes)} nodes" if booting and len(job.nodes) > 1 else "a node"
    verb = "waits for" if booting else "has trouble with"
    return Conclusion(worst.weight, f"job {job.id} {verb} {which}: {worst.cause}", worst.todo)


def _is_coming(node: str, seen: Seen) -> bool:
    details = seen.node(node)
    return details is not None and power_of(details.state) in {Power.POWERING_UP, Power.CHOSEN}


def _waits(job: JobDetails, seen: Seen) -> Conclusion:
    ours = split_reason(job.comment)
    if job.priority == 0 or job.reason.startswith("JobHeld"):
        return _held(job, ours)
    if job.reason in {"", "BeginTime"} and (ours is not None or job.restarts):
        return _begins_again(job, ours, seen)
    if not job.reason:
        return waits(f"Slurm hasn't looked at job {job.id} yet", "wait")
    if (unavailable := _unavailable(job, seen)) is not None:
        return unavailable
    if job.reason.startswith(_FOR_NODES) or (job.reason == "Priority" and _why_all_closed(job, seen) is not None):
        return _for_nodes(job, seen)
    return _slurms(job, seen)


def _begins_again(job: JobDetails, ours: tuple[str, str] | None, seen: Seen) -> Conclusion:
    when = f" at {clock(job.start, seen.time)}" if job.start is not None else " soon"
    cause = f"a start of job {job.id} failed, and it begins again{when}"
    if (every := _why_all_closed(job, seen)) is not None:
        return closed_pool(seen, every, f"{cause}: ")
    failures = [event for event in seen.events if event.kind in {"refused", "failed", "boot-failed"}]
    if ours is None and not failures:
        return waits(cause, "wait")
    code, text = ours or (failures[-1].text("code") or "boot", failures[-1].text("text"))
    pool = failures[-1].pool if failures else ""
    return waits(f"{cause}: {what_happened(code, text)}", *remedy(code, job.id, pool))


def _held(job: JobDetails, ours: tuple[str, str] | None) -> Conclusion:
    again = f"then: scontrol release {job.id}"
    if ours is not None:
        code, text = ours
        return stuck(f"job {job.id} is {text or 'held: ' + what_happened(code, '')}", *remedy(code, job.id, ""), again)
    who = "its user" if job.reason == "JobHeldUser" else "an administrator"
    return stuck(f"job {job.id} is held by {who}", f"when it may begin: scontrol release {job.id}")


def _unavailable(job: JobDetails, seen: Seen) -> Conclusion | None:
    """It asks for a node by name, and that one can't be had. 22.05 tells it in its reason, 24.11 doesn't."""
    ours = (node for node in job.requested if seen.manifest.pool_of(node) is not None)
    for node in ours if job.reason.startswith("ReqNodeNotAvail") else ():
        why = node_cause(node, seen)
        if why.weight is not Weight.FINE:
            return Conclusion(why.weight, f"job {job.id} asks for a node by name: {why.cause}", why.todo)
    return None


def _for_nodes(job: JobDetails, seen: Seen) -> Conclusion:
    pools = pools_of(job, seen)
    closed = [pool for pool in pools if seen.breaker(pool).gate is Gate.CLOSED]
    if (every := _why_all_closed(job, seen)) is not None:
        which = (
            f"all {len(pools)} pools of its partitions are closed; "
            if len(pools) > 1 and every.pool != EVERY_POOL
            else ""
        )
        return closed_pool(seen, every, f"job {job.id} waits, since {which}")
    if (tried := _half_open(job, seen)) is not None:
        return half_open_pool(seen, tried, f"job {job.id} waits, since ")
    if not pools:
        return _slurms(job, seen)
    counts = _counts(pools, seen)
    shown = ", ".join(f"{count} {word}" for word, count in counts.items())
    also = f"; closed: {', '.join(closed)}" if closed else ""
    cause = f"job {job.id} waits for nodes (Slurm: {job.reason}); of the nodes that it may use: {shown}{also}"
    if counts.get("failed") and not seen.sync_is_alive:
        return stuck(cause, *start_sync("gives nodes back whose start failed"))
    if counts.get("taken out by somebody"):
        return stuck(cause, "see who took them out of use, and why: sinfo -R")
    start = f"Slurm means to begin it at {clock(job.start, seen.time)}" if job.start is not None else "wait"
    return waits(cause, start, *(f"see why: xio explain {pool}" for pool in closed[:1]))


def _slurms(job: JobDetails, seen: Seen) -> Conclusion:
    """It isn't about xio-slurm at all."""
    word = job.reason.split(",")[0]
    fields = {"job": job.id, "partition": ",".join(job.partitions)}
    if (known := _REASONS.get(word)) is not None:
        meaning, todo = known
    elif word.startswith(_LIMITS):
        meaning, todo = "a limit of its account or QOS is reached", "see them: sacctmgr show qos"
    else:
        meaning, todo = "for a reason of Slurm's own", "what it means says: man squeue"
    at = f" until {clock(job.start, seen.time)}" if word == "BeginTime" and job.start is not None else ""
    return waits(f"job {job.id} waits{at} for Slurm's own reason {job.reason}: {meaning}", todo.format(**fields))


def pools_of(job: JobDetails, seen: Seen) -> tuple[str, ...]:
    """The pools whose nodes are in the job's partitions."""
    nodes = {} if isinstance(seen.nodes, Unseen) else seen.nodes
    wanted = {*job.partitions}
    found = {seen.manifest.pool_name(name) for name, node in nodes.items() if wanted & {*node.partitions}}
    return tuple(pool.name for pool in seen.manifest.pools if pool.name in found)


def _why_all_closed(job: JobDetails, seen: Seen) -> Breaker | None:
    """One of the breakers of its pools where each is closed: that which opens first."""
    breakers = [seen.breaker(pool) for pool in pools_of(job, seen)]
    if not breakers or any(breaker.gate is not Gate.CLOSED for breaker in breakers):
        return None
    return min(breakers, key=lambda breaker: breaker.until if breaker.until is not None else math.inf)


def _half_open(job: JobDetails, seen: Seen) -> Breaker | None:
    """One of the breakers of its pools that is tried, where none is open."""
    breakers = [seen.breaker(pool) for pool in pools_of(job, seen)]
    if any(breaker.gate is Gate.OPEN for breaker in breakers):
        return None
    return next((breaker for breaker in breakers if breaker.gate is Gate.HALF_OPEN), None)


def _counts(pools: tuple[str, ...], seen: Seen) -> Counter[str]:
    counts: Counter[str] = Counter()
    nodes = {} if isinstance(seen.nodes, Unseen) else seen.nodes
    for name, node in nodes.items():
        if seen.manifest.pool_name(name) in pools:
            counts[_word(held_by(node.state), power_of(node.state), node.state.base)] += 1
    return counts


def _word(held: Held, power: Power, base: str) -> str:
    if held is Held.ADMINISTRATOR:
        return "taken out by somebody"
    if held is not Held.NOBODY:
        return "failed"
    if power in {Power.POWERING_UP, Power.CHOSEN}:
        return "booting"
    if power is Power.POWERING_DOWN:
        return "powering down"
    return "free" if base == "IDLE" else "in use"
