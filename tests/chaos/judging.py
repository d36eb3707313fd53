"""What the records say: when jobs were at work, which didn't end well, which VM was deleted under one."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tests.chaos.work import Word, is_held, submission_of
from xio_slurm.slurm.hostlist import expand

_END: Final = re.compile(
    r"\[(?P<time>[^]]+)\] (?:_job_complete:|requeue job) JobId=(?P<job>\d+)(?:_\S*?\((?P<task>\d+)\))?"
    r"|\[(?P<killed>[^]]+)\] _slurm_rpc_kill_job: REQUEST_KILL_JOB JobId=(?P<submitted>\d+)"
)
"""A job ends by itself, by a node that Slurm was told is DOWN, or by its owner, who can end a whole array."""


@dataclass(slots=True)
class Ends:
    """When the runs of jobs ended, in seconds since 1970: of each job, and by the owner's word of each submission."""

    by_job: dict[int, list[float]] = field(default_factory=dict)
    by_owner: dict[int, list[float]] = field(default_factory=dict)

    def of(self, begin: Word) -> list[float]:
        """Those that can be the end of a run."""
        times = self.by_job.get(begin.job, []) + self.by_owner.get(begin.submitted, [])
        return [time for time in times if time > begin.time]


@dataclass(frozen=True, slots=True)
class Running:
    """A job's script at work on nodes, from its begin to when Slurm or itself says that it has ended."""

    job: int
    nodes: tuple[str, ...]
    begin: float
    end: float


def ends(log: Path, forgotten: Iterable[tuple[int, float]] = ()) -> Ends:
    """What slurmctld's log tells of them; a requeued job has several. ``forgotten``: runs that a crash of it ended."""
    found = Ends()
    for lost, time in forgotten:
        found.by_job.setdefault(lost, []).append(time)
    for line in log.read_text(errors="replace").splitlines():
        if end := _END.match(line):
            times, job = (
                (found.by_owner, end["submitted"]) if end["killed"] else (found.by_job, end["task"] or end["job"])
            )
            times.setdefault(int(job), []).append(datetime.fromisoformat(end["time"] or end["killed"]).timestamp())
    return found


def runs(words: Iterable[Word], ended: Ends) -> list[Running]:
    """When each job was at work. Without any word of its end it is taken to be at work for ever."""
    said = list(words)
    found = []
    for begin in (word for word in said if word.what == "begin"):
        own = [word.time for word in said if word.job == begin.job and word.what == "end" and word.time > begin.time]
        found.append(Running(begin.job, begin.nodes, begin.time, min((*own, *ended.of(begin)), default=float("inf"))))
    return found


def forgotten(running: Iterable[Running], jobs: Iterable[Mapping[str, str]], crashed: float) -> list[tuple[int, float]]:
    """The runs that a crashed slurmctld doesn't know any more when it is back: it had not saved that they began."""
    nodes = {int(job["JobId"]): expand(job["NodeList"]) for job in jobs if job["JobState"] in {"RUNNING", "COMPLETING"}}
    return [
        (run.job, max(crashed, run.begin + 0.001))
        for run in running
        if run.end == float("inf") and nodes.get(run.job) != run.nodes
    ]


def wrong_kills(running: Iterable[Running], vms: Iterable[Mapping[str, Any]], ours: Container[int]) -> list[str]:
    """VMs whose end was asked for while a job was at work there. ``ours``: the serials of those that we powered off."""
    at_work = list(running)
    return [
        f"{vm['node']} was deleted at {vm['delete_asked']:.2f} under job {run.job}, at work since {run.begin:.2f}"
        for vm in vms
        if vm["delete_asked"] is not None and vm["serial"] not in ours
        for run in at_work
        if vm["node"] in run.nodes and run.begin < vm["delete_asked"] < run.end
    ]


def wrong_ends(jobs: Iterable[Mapping[str, str]], cancelled: set[int], submitted: Iterable[int]) -> list[str]:
    """Jobs that neither completed nor were cancelled by their owner, nor held by us."""
    there = list(jobs)
    known = {submission_of(job) for job in there}
    lost = [f"job {job} is gone from Slurm" for job in submitted if job not in known]
    bad = [
        f"job {job['JobId']} is {job['JobState']} ({job['Reason']}, exit code {job['ExitCode']})"
        for job in there
        if job["JobState"] != "COMPLETED"
        and not is_held(job)
        and not (submission_of(job) in cancelled and job["JobState"] == "CANCELLED")
    ]
    return lost + bad


def longest_wait(jobs: Iterable[Mapping[str, str]], said: Iterable[Word], submitted: Mapping[int, float]) -> float:
    """Seconds from its submission until a job's script began for the last time."""
    there = {int(job["JobId"]) for job in jobs}
    began = {word.job: word for word in said if word.what == "begin" and word.job in there}
    return max((word.time - submitted[word.submitted] for word in began.values()), default=0.0)


def faults_hit(requests: Iterable[Mapping[str, Any]], of: Container[int]) -> tuple[int, Counter[int]]:
    """Requests, and how many of them each of these faults hit; under 0 how many any hit."""
    total, hits = 0, Counter[int]()
    for request in requests:
        found = [fault for fault in request["faults"] if fault in of]
        total += 1
        hits.update(found)
        hits[0] += bool(found)
    return total, hits
