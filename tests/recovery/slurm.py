"""A model of slurmctld's power saving, as it was seen on 22.05 and 24.11 with idle_on_node_suspend."""

import re
from dataclasses import dataclass, field
from typing import Any

from tests.recovery.clock import Clock
from tests.recovery.ems import Ems
from tests.recovery.killing import Life
from xio_slurm.errors import SlurmError
from xio_slurm.slurm.hostlist import expand, fold
from xio_slurm.slurm.version import SILENCE_LASTS, Version

RESUME_TIMEOUT, SUSPEND_TIMEOUT, SUSPEND_TIME, SLURMD_TIMEOUT = 100.0, 10.0, 30.0, 30.0

_FREE = {"CLOUD", "POWERED_DOWN"}


@dataclass
class Node:
    """``since``: of the last change of its power, in seconds of the model."""

    name: str
    pool: str
    base: str = "IDLE"
    flags: set[str] = field(default_factory=lambda: {"CLOUD", "POWERED_DOWN"})
    reason: str = ""
    since: float = 0.0
    silent_since: float | None = None
    idle_since: float = 0.0
    job: int | None = None

    @property
    def is_on(self) -> bool:
        """It has registered, and isn't on its way down."""
        return not self.flags & {"POWERED_DOWN", "POWERING_UP", "POWERING_DOWN", "POWER_DOWN"}


@dataclass
class Job:
    """A batch job with requeue."""

    number: int
    count: int
    pools: tuple[str, ...]
    seconds: float
    state: str = "PENDING"
    begin: float = 0.0
    started: float = 0.0
    comment: str = ""
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Called:
    """A program that slurmctld has started."""

    program: str
    nodes: tuple[str, ...]


class Slurm:
    """slurmctld, its nodes and jobs.

    ``calls`` are programs that it has started and that haven't run yet; ``version`` is its own.
    """

    def __init__(self, clock: Clock, life: Life, ems: Ems, nodes: dict[str, str]) -> None:
        self._clock = clock
        self._life = life
        self._ems = ems
        self.nodes = {name: Node(name, pool) for name, pool in nodes.items()}
        self.jobs: dict[int, Job] = {}
        self.calls: list[Called] = []
        self.is_down = False
        self.version = Version(22, 5, 8)
        clock.each_second(self.tick)

    def started(self, place: int) -> Called | None:
        """The program at this place of those that have been started, or one before it that is about its nodes too."""
        if not self.calls:
            return None
        chosen = self.calls[min(place, len(self.calls) - 1)]
        first = next(call for call in self.calls if {*call.nodes} & {*chosen.nodes})
        self.calls.remove(first)
        return first

    def can_be_chosen(self, node: Node) -> bool:
        """Whether a job can get this node, which is powered down."""
        silent_too = {"NOT_RESPONDING"} if self.version < SILENCE_LASTS else set()
        return node.base == "IDLE" and node.flags <= _FREE | silent_too

    def submit(self, count: int, pools: tuple[str, ...], seconds: float) -> None:
        """A new job."""
        number = len(self.jobs) + 1
        self.jobs[number] = Job(number, count, pools, seconds, begin=self._clock.now)

    def tick(self) -> None:
        """A second of slurmctld's life."""
        if self.is_down:
            return
        for node in self.nodes.values():
            self._power(node)
            self._ping(node)
        self._start_and_end_jobs()
        self._schedule()

    def _power(self, node: Node) -> None:
        now = self._clock.now
        if "POWER_DOWN" in node.flags and node.job is None:
            node.flags -= {"POWER_DOWN", "POWERING_UP", "NOT_RESPONDING", "DRAIN", "FAIL", "POWERED_DOWN"}
            node.flags.add("POWERING_DOWN")
            node.base, node.since, node.silent_since = "IDLE", now, None
            self._call("suspend", node.name)
        elif "POWERING_DOWN" in node.flags and now - node.since >= SUSPEND_TIMEOUT:
            node.flags -= {"POWERING_DOWN"}
            node.flags.add("POWERED_DOWN")
        elif "POWERING_UP" in node.flags:
            if self._ems.booted(node.name, node.since) and node.base != "DOWN":
                node.flags -= {"POWERING_UP", "NOT_RESPONDING"}
                node.idle_since = now
            elif now - node.since >= RESUME_TIMEOUT:
                self._requeue(node)
                node.base, node.reason = "DOWN", "ResumeTimeout reached"
                node.flags -= {"POWERING_UP"}
                node.flags |= {"POWERED_DOWN", "NOT_RESPONDING"}
                self._call("resume_fail", node.name)
        elif node.is_on and node.job is None and now - node.idle_since >= SUSPEND_TIME:
            node.flags.add("POWER_DOWN")

    def _ping(self, node: Node) -> None:
        if not node.is_on or self._ems.booted(node.name, 0.0):
            node.silent_since = None
            return
        now = self._clock.now
        node.silent_since = now if node.silent_since is None else node.silent_since
        if now - node.silent_since >= SLURMD_TIMEOUT and node.base != "DOWN":
            self._requeue(node)
            node.base, node.reason, node.idle_since = "DOWN", "Not responding", now
            node.flags.add("NOT_RESPONDING")

    def _call(self, program: str, *nodes: str) -> None:
        self.calls.append(Called(program, nodes))

    def _requeue(self, node: Node) -> None:
        job = self.jobs.get(node.job) if node.job is not None else None
        if job is None:
            return
        self._free(job)
        job.state, job.begin, job.nodes = "PENDING", self._clock.now + 121, ()

    def _free(self, job: Job) -> None:
        for name in job.nodes:
            node = self.nodes[name]
            node.job, node.idle_since = None, self._clock.now
            if node.base == "ALLOCATED":
                node.base = "IDLE"

    def _is_usable(self, node: Node) -> bool:
        out = node.flags & {"DRAIN", "FAIL", "POWERING_DOWN", "POWER_DOWN"}
        if node.base != "IDLE" or out or node.job is not None:
            return False
        return node.is_on or "POWERING_UP" in node.flags or self.can_be_chosen(node)

    def _start_and_end_jobs(self) -> None:
        now = self._clock.now
        for job in self.jobs.values():
            if job.state == "CONFIGURING" and all(self.nodes[name].is_on for name in job.nodes):
                job.state, job.started = "RUNNING", now
            elif job.state == "RUNNING" and now - job.started >= job.seconds:
                job.state = "COMPLETED"
                self._free(job)
                job.nodes = ()

    def _schedule(self) -> None:
        now = self._clock.now
        for job in self.jobs.values():
            if job.state != "PENDING" or job.begin > now:
                continue
            usable = [node for node in self.nodes.values() if node.pool in job.pools and self._is_usable(node)]
            if len(usable) < job.count:
                continue
            usable.sort(key=lambda node: (not node.is_on, node.name))
            chosen = usable[: job.count]
            job.nodes, job.state = tuple(node.name for node in chosen), "CONFIGURING"
            asleep = [node for node in chosen if not node.is_on and "POWERING_UP" not in node.flags]
            for node in chosen:
                node.base, node.job = "ALLOCATED", job.number
            for node in asleep:
                node.flags -= {"POWERED_DOWN"}
                node.flags |= {"POWERING_UP", "NOT_RESPONDING"}
                node.since = now
            if asleep:
                self._call("resume", *(node.name for node in asleep))

    # What our programs say to it.

    def run(self, bin_dir: str, program: str, *arguments: str, slurm_conf: str | None, timeout: float) -> str:
        """As ``slurm.command.run``."""
        if arguments[0] in {"-V", "--version"}:
            return f"slurm {self.version}"
        self._life.effect()
        if self.is_down:
            raise SlurmError(f"{program}: slurmctld doesn't answer")
        said = self._squeue(arguments) if program == "squeue" else self._scontrol(*arguments)
        self._life.effect()
        return said

    def _squeue(self, arguments: tuple[str, ...]) -> str:
        lines = []
        by_number = "--jobs" in arguments
        for job in self.jobs.values():
            if (by_number and job.state != "COMPLETED") or job.nodes:
                comment = job.comment[:4]
                state = {"HELD": "PENDING"}.get(job.state, job.state)
                lines.append(f"{job.number}|{job.number}|u|{state}|1|{comment}|{fold(job.nodes)}|")
        return "\n".join(lines)

    def _scontrol(self, verb: str, *arguments: str) -> str:
        if verb == "show":
            names = next((expand(each) for each in arguments[1:] if not each.startswith("-")), tuple(self.nodes))
            return "\n".join(self._line(self.nodes[name]) for name in names if name in self.nodes)
        if verb == "update":
            what = dict(argument.partition("=")[::2] for argument in arguments)
            self._update_jobs(what) if "JobId" in what else self._update_nodes(what)
        return ""

    def _line(self, node: Node) -> str:
        state = "+".join([node.base, *sorted(node.flags)])
        reason = f" Reason={node.reason} [slurm@2026-01-01T00:00:00]" if node.reason else ""
        return f"NodeName={node.name} NodeAddr={node.name} State={state}{reason}"

    def _update_jobs(self, what: dict[str, str]) -> None:
        for number in map(int, what["JobId"].split(",")):
            job = self.jobs[number]
            if "AdminComment" in what:
                job.comment = what["AdminComment"]
            if what.get("Priority") == "0":
                job.state = "HELD"
            elif (later := re.fullmatch(r"now(?:\+(\d+))?", what.get("StartTime", ""))) and job.state == "PENDING":
                job.begin = self._clock.now + int(later[1] or 0)

    def _update_nodes(self, what: dict[str, str]) -> None:
        for name in what["NodeName"].split(","):
            node = self.nodes[name]
            if "Reason" in what:
                node.reason = what["Reason"]
            if "State" in what:
                getattr(self, f"_to_{what['State'].lower()}")(node)

    def _to_down(self, node: Node) -> None:
        self._requeue(node)
        node.base = "DOWN"
        node.idle_since = self._clock.now

    def _to_power_down(self, node: Node) -> None:
        if "POWERING_DOWN" in node.flags:
            return
        if node.base == "DOWN":
            node.flags -= {"POWERING_UP"}
        node.flags -= {"POWERED_DOWN"}
        node.flags.add("POWER_DOWN")

    def _to_power_down_force(self, node: Node) -> None:
        self._requeue(node)
        node.flags -= {"POWERING_UP"}
        self._to_power_down(node)

    def _to_drain(self, node: Node) -> None:
        if node.job is not None and node.flags & {"POWERED_DOWN", "POWERING_UP"}:
            self._requeue(node)
        node.flags.add("DRAIN")

    def _to_resume(self, node: Node) -> None:
        if node.base == "IDLE" and not node.flags & {"DRAIN", "FAIL", "POWERING_DOWN"}:
            raise SlurmError("slurm_update error: Invalid node state specified")
        node.flags -= {"DRAIN", "FAIL"}
        node.flags.add("NOT_RESPONDING")
        if "POWERING_DOWN" in node.flags:
            node.flags -= {"POWERING_DOWN"}
            node.flags.add("POWERED_DOWN")
        if node.base == "DOWN":
            node.base, node.reason = "IDLE", ""


def state_of(node: Node) -> Any:
    """For messages."""
    return node.base, sorted(node.flags), node.reason
