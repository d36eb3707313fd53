"""Looks at everything that could tell why a node, a job or a pool is as it is: side by side, in bounded time."""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from statistics import median
from typing import Any, Final

from msgspec import structs

from xio_slurm.deadline import Deadline
from xio_slurm.desk.event_log import Event, read_events
from xio_slurm.desk.looks import Unseen, side_by_side
from xio_slurm.desk.story.seen import NodeSeen, Seen, Subject
from xio_slurm.ems.connection import connected
from xio_slurm.ems.vms import Vms
from xio_slurm.errors import EmsError, EventsError, LedgerError, ManifestError, SlurmError
from xio_slurm.ledger import Ledger
from xio_slurm.manifest import Manifest
from xio_slurm.power import heartbeat
from xio_slurm.power.breakers import Breakers
from xio_slurm.power.situation import Held, Power, held_by, power_of
from xio_slurm.power.sync.one_pass import look_only
from xio_slurm.slurm import details
from xio_slurm.slurm.details import JobDetails, NodeDetails
from xio_slurm.slurm.hostlist import expand
from xio_slurm.slurm.running import settings

SECONDS: Final = 5.0
"""For the looks at Slurm; as long again for those at the EMS."""

_ONE: Final = SECONDS - 0.5
"""Seconds for one question to Slurm or the EMS, so that its own words come in time."""

_MOST_NEAR: Final = 5
"""Nodes of a job or a pool that are looked at one by one."""

_MOST_FORMER: Final = 20
"""Nodes that a job had before, and whose events are told."""

_OF_POOLS: Final = frozenset({"closed", "opened", "half-opened", "closed-profile"})


def look(manifest: Manifest, subject: Subject, since: float) -> Seen:
    """Look. ``since``: how far back, in seconds since 1970."""
    now = time.time()
    hasty = structs.replace(
        manifest,
        connect_timeout=min(manifest.connect_timeout, _ONE),
        read_timeout=min(manifest.read_timeout, _ONE),
    )
    found = _first_looks(hasty, subject, now)
    seen = Seen(manifest=manifest, subject=subject, time=now, since=since, **found)
    near = _near(seen)
    events, problem = _events(seen, near)
    return replace(
        seen,
        events=tuple(event for event in events if event.kind != "registered" or _is_about(event, near)),
        events_problem=problem,
        near=_from_near(hasty, near),
        boot_seconds=_boot_seconds(events),
    )


def was_node(manifest: Manifest, name: str, since: float) -> bool:
    """Whether the ledger or an event from ``since`` on knows a node of this name: the manifest may have had it."""
    with suppress(LedgerError, EventsError):
        return name in Ledger(manifest.state_dir).nodes() or any(
            event.node == name for event in read_events(manifest.log_dir, since)
        )
    return False


def _first_looks(manifest: Manifest, subject: Subject, now: float) -> dict[str, Any]:
    bin_dir = manifest.slurm_bin_dir
    looks: dict[str, Callable[[], Any]] = {
        "nodes": lambda: details.every_node(bin_dir, slurm_conf=None, timeout=_ONE),
        "jobs": lambda: _jobs(subject, bin_dir),
        "breakers": lambda: Breakers(manifest.state_dir).now(now, manifest.recovery),
        "heartbeat": lambda: heartbeat.read(manifest.state_dir),
        "proposals": lambda: look_only(manifest)[0],
        "former": lambda: frozenset(
            name for name in Ledger(manifest.state_dir).nodes() if manifest.pool_of(name) is None
        ),
        "resume_program": lambda: _resume_program(bin_dir),
    }
    found = side_by_side(looks, SECONDS)
    if isinstance(found["resume_program"], Unseen):
        found["resume_program"] = ""
    return found


def _jobs(subject: Subject, bin_dir: str) -> tuple[JobDetails, ...]:
    if subject.kind == "job":
        return details.job(subject.name, bin_dir, slurm_conf=None, timeout=_ONE)
    return details.every_job(bin_dir, slurm_conf=None, timeout=_ONE)


def _resume_program(bin_dir: str) -> str:
    """Why slurmctld can't call it, in words; empty where nothing is seen that hinders it."""
    running = settings(bin_dir, slurm_conf=None, timeout=_ONE)
    if (program := running.get("ResumeProgram", "")) == "":
        return "the running slurmctld has no ResumeProgram, since its include is lost or slurmctld wasn't told of it"
    if not os.path.exists(program):  # noqa: PTH110  Path.exists raises in a closed folder
        return f"its ResumeProgram {program} isn't there"
    if not os.access(program, os.X_OK):
        return f"its ResumeProgram {program} can't be executed"
    return ""


def _near(seen: Seen) -> tuple[str, ...]:
    """The nodes to be looked at one by one: those that don't stand as they should come first."""
    if seen.subject.kind == "node":
        return (seen.subject.name,)
    nodes = {} if isinstance(seen.nodes, Unseen) else seen.nodes
    if seen.subject.kind == "pool":
        ours = [name for name in nodes if seen.manifest.pool_name(name) == seen.subject.name]
        chosen = [name for name in ours if _is_doubtful(nodes[name])]
    else:
        jobs = () if isinstance(seen.jobs, Unseen) else seen.jobs
        names = dict.fromkeys(node for job in jobs for node in job.nodes)
        ours = [name for name in names if seen.is_ours(name)]
        chosen = sorted(ours, key=lambda name: name in nodes and not _is_doubtful(nodes[name]))
    return tuple(chosen[:_MOST_NEAR])


def _is_doubtful(node: NodeDetails) -> bool:
    coming = power_of(node.state) in {Power.CHOSEN, Power.POWERING_UP}
    return coming or held_by(node.state) is not Held.NOBODY or "NOT_RESPONDING" in node.state.flags


def _events(seen: Seen, near: Iterable[str]) -> tuple[list[Event], str]:
    """The events that matter, and why not all of them could be read."""
    wanted = _Wanted(seen, near)
    found: list[Event] = []
    try:
        for event in read_events(seen.manifest.log_dir, seen.since):
            if wanted.takes(event):
                found.append(event)  # noqa: PERF401  what was read before it fails counts
    except EventsError as error:
        return wanted.chosen(found), str(error)
    return wanted.chosen(found), ""


class _Wanted:
    """Which events are about the subject. A job's earlier nodes are known when its calls have been read."""

    def __init__(self, seen: Seen, near: Iterable[str]) -> None:
        jobs = seen.jobs if seen.subject.kind == "job" and not isinstance(seen.jobs, Unseen) else ()
        self._jobs = {seen.subject.name, *(job.id for job in jobs), *(str(job.number) for job in jobs)}
        self._near = frozenset(near)
        self._nodes = {*self._near, *(node for job in jobs for node in job.nodes[:_MOST_FORMER])}
        self._pools = {seen.manifest.pool_name(node) for node in self._nodes} - {None}
        if seen.subject.kind == "pool":
            self._pools.add(seen.subject.name)
        self._of_pool = seen.subject.kind == "pool"
        self._is_job = seen.subject.kind == "job"

    def takes(self, event: Event) -> bool:
        """Whether it is about it."""
        if event.kind in {"called", "wanted", "delegated"}:
            return self._takes_call(event)
        if event.kind in _OF_POOLS:
            return event.pool == "all" or event.pool in self._pools
        if event.kind == "registered":
            return event.node in self._near or event.pool in self._pools
        if event.kind in {"held", "moved-up"}:
            return self._is_job and event.text("job") in self._jobs
        return event.node in self._nodes or (
            self._of_pool and event.pool in self._pools and event.kind in _TOLD_OF_POOL
        )

    def chosen(self, events: list[Event]) -> list[Event]:
        """Of the calls for a job the one that names it says enough."""
        wanted = {event.run for event in events if event.kind == "wanted"}
        return [event for event in events if event.kind != "called" or event.run not in wanted]

    def _takes_call(self, event: Event) -> bool:
        if event.kind == "wanted" and self._is_job:
            if event.text("job") not in self._jobs:
                return False
            room = max(0, _MOST_FORMER - len(self._nodes))
            self._nodes.update(_expanded(event.text("hostlist"))[:room])
            return True
        hostlist = event.text("hostlist")
        stems = {node.rpartition("-")[0] for node in self._near}
        return any(stem in hostlist for stem in stems) and not self._near.isdisjoint(_expanded(hostlist))


_TOLD_OF_POOL: Final = frozenset({"refused", "failed", "boot-failed"})


def _expanded(hostlist: str) -> tuple[str, ...]:
    try:
        return expand(hostlist)
    except SlurmError:
        return ()


def _is_about(event: Event, near: Iterable[str]) -> bool:
    return event.node in near


def _boot_seconds(events: Iterable[Event]) -> dict[str, float]:
    """The usual time of each pool: half of its nodes were faster."""
    taken: defaultdict[str, list[float]] = defaultdict(list)
    for event in events:
        if event.kind == "registered" and (seconds := event.number("seconds")) is not None:
            taken[event.pool].append(seconds)
    return {pool: median(times) for pool, times in taken.items()}


def _from_near(manifest: Manifest, nodes: Iterable[str]) -> Mapping[str, NodeSeen]:
    ledger = Ledger(manifest.state_dir)
    names = tuple(nodes)
    with _vms(manifest) as vms:

        def vm_of(node: str) -> Callable[[], Any]:
            return lambda: _there(vms).get(node, Deadline.after(_ONE))

        def entry_of(node: str) -> Callable[[], Any]:
            return lambda: ledger.peek(node)

        looks = {f"vm {node}": vm_of(node) for node in names} | {f"entry {node}": entry_of(node) for node in names}
        found = side_by_side(looks, SECONDS)
    return {node: NodeSeen(found[f"entry {node}"], found[f"vm {node}"]) for node in names}


@contextmanager
def _vms(manifest: Manifest) -> Iterator[Vms | ManifestError | EmsError]:
    try:
        with connected(manifest) as transport:
            yield Vms(transport)
    except (ManifestError, EmsError) as error:
        yield error


def _there(vms: Vms | ManifestError | EmsError) -> Vms:
    if not isinstance(vms, Vms):
        raise vms
    return vms
