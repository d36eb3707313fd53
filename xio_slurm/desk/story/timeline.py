"""What happened, in the order in which it did, in words: from the events, Slurm, the ledger and the EMS. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from xio_slurm.desk.looks import Unseen
from xio_slurm.desk.story.conclusion import clock, count_of, duration
from xio_slurm.desk.story.seen import NodeSeen, Seen
from xio_slurm.plain_text import one_line, shortened
from xio_slurm.power.pool_nodes import why_closed
from xio_slurm.power.situation import Gate
from xio_slurm.slurm.details import JobDetails

_NOTED: Final = 2.0
"""Seconds within which an event and the ledger's entry are of the same thing."""

_WITHIN: Final = 0.999
"""Seconds by which a time of Slurm's can be too early."""

_LONGEST: Final = 200
"""Characters of a line: a call can be for thousands of nodes."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, or is so now. ``time`` in seconds since 1970; ``source`` is who knows it."""

    time: float
    source: str
    words: str


WORDS: Final[Mapping[str, str]] = {
    "called": "was called for {hostlist}",
    "wanted": "job {job} wants {hostlist}",
    "delegated": "{to} sees to {hostlist}",
    "ended": "ended after {seconds} s, {failed} of its nodes failed",
    "asking": "asks the EMS for the VM",
    "asked": "the EMS makes the VM (its job {ems_job})",
    "adopted": "the VM is there, whose request was never answered: it is ours",
    "refused": "the EMS makes no VM: xio:{code} {text}",
    "up": "the VM is up, {seconds} s after the request: told Slurm its address {address}",
    "registered": "its slurmd has registered, {seconds} s after the request",
    "failed": "failed: xio:{code} {text}",
    "boot-failed": "its slurmd didn't register before ResumeTimeout",
    "left": "left as it is: {why}",
    "foreign": "the EMS has a VM of this name that this cluster didn't make",
    "no-password": "no root password for the VMs: {why}",
    "surplus": "given back: {text}",
    "told": "told Slurm: {state} {reason}",
    "moved-up": "job {job} begins again soon: {comment}",
    "held": "job {job} is held: {comment}",
    "closed": "pool {pool} closed: {cause} {text}",
    "half-opened": "pool {pool} lets one node through, to see",
    "opened": "pool {pool} opened",
    "closed-profile": "all {pools} pools of profile {profile} are closed",
    "deleting": "asks the EMS to delete the VM",
    "gone": "the VM is gone",
    "found": "a second look must confirm: {action}, since {why}",
    "decided": "decided: {action}, since {why}",
    "deleted": "had the EMS delete the VM: {why}",
}
"""Every kind of event in words; that of a newer release is told by its name."""


class _Details(dict[str, Any]):
    """An event's; what isn't known is empty."""

    def __missing__(self, _name: str) -> str:
        return ""


def timeline(seen: Seen) -> tuple[Moment, ...]:
    """All moments in their order; those of now are the last."""
    past = [*_events(seen), *_jobs(seen), *_nodes(seen)]
    for node, near in seen.near.items():
        past += _ledger(node, near, seen)
    return (*sorted((each for each in past if each.time <= seen.time), key=lambda moment: moment.time), *_now(seen))


def _several(seen: Seen) -> bool:
    return seen.subject.kind != "node"


def _events(seen: Seen) -> Iterator[Moment]:
    refused = {(event.run, event.node, event.text("text")) for event in seen.events if event.kind == "refused"}
    for event in seen.events:
        if event.kind == "failed" and (event.run, event.node, event.text("text")) in refused:
            continue  # the same in other words
        template = WORDS.get(event.kind, event.kind)
        if event.pool == "all":
            template = template.replace("pool {pool}", "all pools")
        words = shortened(template.format_map(_Details(event.details)), _LONGEST)
        about = f"{event.node}: " if event.node and _several(seen) else ""
        yield Moment(event.time, event.program or "events", one_line(f"{about}{words}"))


def _jobs(seen: Seen) -> Iterator[Moment]:
    jobs = () if isinstance(seen.jobs, Unseen) else seen.jobs
    for job in jobs:
        if seen.subject.kind == "job" or (seen.subject.kind == "node" and job in seen.jobs_on(seen.subject.name)):
            yield from _job(job, seen)


def _job(job: JobDetails, seen: Seen) -> Iterator[Moment]:
    if job.submitted is not None:
        # Slurm keeps the time of the last, in whole seconds: what led to a requeue was in the same, and before it.
        what, later = ("requeued", _WITHIN) if job.restarts else ("submitted", 0.0)
        yield Moment(min(job.submitted + later, seen.time), "Slurm", f"job {job.id} of {job.user} was {what}")
    if job.start is not None and not job.waits:
        yield Moment(job.start, "Slurm", f"job {job.id} was given {count_of(len(job.nodes), 'node')}")


def _nodes(seen: Seen) -> Iterator[Moment]:
    for name in seen.near:
        details = seen.node(name)
        if details is None:
            continue
        about = f"{name}: " if _several(seen) else ""
        if details.reason_at is not None and details.state.reason:
            yield Moment(
                details.reason_at, "Slurm", f"{about}{details.reason_by} gave it the reason: {details.state.reason}"
            )
        if details.slurmd_started is not None and details.slurmd_started >= seen.since:
            yield Moment(details.slurmd_started, "Slurm", f"{about}its slurmd was started")


def _ledger(node: str, near: NodeSeen, seen: Seen) -> Iterator[Moment]:
    """What the ledger knows and no event tells."""
    entry = near.entry
    if entry is None or isinstance(entry, Unseen) or entry.asked < seen.since:
        return
    about = f"{node}: " if _several(seen) else ""
    noted = seen.events_of(node, "asking")
    if entry.phase in {"asking", "ours"} and not any(abs(event.time - entry.asked) < _NOTED for event in noted):
        yield Moment(entry.asked, "ledger", f"{about}the EMS was asked for the VM")


def _now(seen: Seen) -> Iterator[Moment]:
    now = seen.time
    for name, near in seen.near.items():
        about = f"{name}: " if _several(seen) else ""
        if (details := seen.node(name)) is not None:
            state = details.state
            yield Moment(now, "Slurm", f"{about}{'+'.join((state.base, *sorted(state.flags)))} {state.reason}".strip())
        yield Moment(now, "ledger", f"{about}{_entry_words(near, seen)}")
        yield Moment(now, "EMS", f"{about}{_vm_words(near)}")
        for proposal in seen.proposals_for(name):
            when = "after a second look" if proposal.needs_two_looks else "at its next look"
            yield Moment(now, "xio-sync", f"{about}would do {when}: {proposal.action.value}, since {proposal.why}")
    yield from _jobs_now(seen)
    if seen.subject.kind == "pool":
        breaker = seen.breaker(seen.subject.name)
        words = why_closed(breaker) if breaker.gate is Gate.CLOSED else f"it is {breaker.gate.value}"
        yield Moment(now, "pool", words)
    if not seen.sync_is_alive:
        yield Moment(now, "xio-sync", "isn't at work")


def _jobs_now(seen: Seen) -> Iterator[Moment]:
    if seen.subject.kind == "job" and not isinstance(seen.jobs, Unseen):
        for job in seen.jobs:
            why = f" ({job.reason})" if job.reason else ""
            when = f", to begin at {clock(job.start, seen.time)}" if job.waits and job.start is not None else ""
            yield Moment(seen.time, "Slurm", f"job {job.id} is {job.state}{why}{when}")


def _entry_words(near: NodeSeen, seen: Seen) -> str:
    entry = near.entry
    if isinstance(entry, Unseen):
        return f"can't be read: {entry.why}"
    if entry is None:
        return "these programs have never seen to the node"
    since = f", asked for {duration(seen.time - entry.asked)} ago" if entry.phase in {"asking", "ours"} else ""
    error = f"; last error: {entry.error}" if entry.error else ""
    return one_line(f"{entry.phase}{since}{error}")


def _vm_words(near: NodeSeen) -> str:
    vm = near.vm
    if isinstance(vm, Unseen):
        return f"doesn't tell of its VM: {vm.why}"
    if vm is None:
        return "has no VM of this name"
    return f"has its VM, up at {vm.address}" if vm.address is not None else "has its VM, without an address yet"
