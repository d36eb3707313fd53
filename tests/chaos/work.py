"""The users: jobs of mixed kinds, submitted over time, some cancelled. And what they themselves saw, a line each."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from xio_slurm.errors import LabError
from xio_slurm.lab import Lab
from xio_slurm.slurm.hostlist import expand

_SCRIPT: Final = """#!/bin/sh
job="$SLURM_JOB_ID ${{SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}}"
say() {{ echo "$1 $(date +%s.%N) $job $SLURM_JOB_NODELIST" >> {record}; }}
say begin
{steps}
sleep {seconds}
say end
"""

_STEPS: Final = """try=0
until srun -n $SLURM_JOB_NUM_NODES --ntasks-per-node=1 true; do
    say step-failed
    try=$((try + 1)); [ $try -lt 12 ] || exit 1
    sleep 10
done"""
"""Over all nodes. When one has died the job is about to be requeued, and isn't to fail by itself before."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One sbatch: when (seconds from the beginning), how, and after how many seconds it is cancelled, if at all."""

    at: float
    arguments: tuple[str, ...]
    tasks: int
    seconds: float
    steps: bool
    cancelled_after: float | None

    def script(self, record: Path) -> str:
        """The batch script, which records its begin and end."""
        return _SCRIPT.format(record=record, seconds=f"{self.seconds:.1f}", steps=_STEPS if self.steps else ":")


def submissions(jobs: int, seconds: float, pools: tuple[str, ...], random: Random) -> tuple[Submission, ...]:
    """About so many jobs (tasks of arrays are jobs), spread over ``seconds``."""
    made: list[Submission] = []
    left = jobs
    while left > 0:
        one = _submission(left, seconds, pools, random)
        made.append(one)
        left -= one.tasks
    return tuple(sorted(made, key=lambda one: one.at))


def _submission(left: int, seconds: float, pools: tuple[str, ...], random: Random) -> Submission:
    # Two of three go wherever there is room: those are the jobs that another pool can take.
    partition = "xio" if random.random() < 2 / 3 else f"xio-{random.choice(pools)}"
    kind = random.choices(("one", "many", "array", "shared"), (4, 3, 2, 2))[0]
    tasks = 1
    how: tuple[str, ...] = ("--exclusive",)
    if kind == "many":
        how = ("--exclusive", "-N", str(random.randint(2, 3)))
    elif kind == "array":
        tasks = min(left, random.randint(2, 5))
        how = ("--exclusive", "-a", f"1-{tasks}")
    elif kind == "shared":
        how = ("-n", "1", "-c", "1")
    return Submission(
        at=random.uniform(0, seconds),
        arguments=("-p", partition, *how),
        tasks=tasks,
        seconds=random.choice((0.5, 2, 5, 10, 15)),
        steps=kind == "many" or random.random() < 0.3,
        cancelled_after=random.uniform(0, 30) if random.random() < 0.08 else None,
    )


@dataclass(frozen=True, slots=True)
class Word:
    """A line of a job's own: ``begin``, ``end`` or ``step-failed``; time in seconds since 1970.

    ``submitted`` is the id that sbatch gave: of an array, the whole's.
    """

    what: str
    time: float
    job: int
    submitted: int
    nodes: tuple[str, ...]


def words(record: Path) -> list[Word]:
    """What the jobs have said so far, in order. A line that is just being written is left out."""
    lines = record.read_text().splitlines() if record.exists() else []
    parts = [line.split() for line in lines]
    return [
        Word(part[0], float(part[1]), int(part[2]), int(part[3]), expand(part[4])) for part in parts if len(part) == 5
    ]


def submit(lab: Lab, one: Submission, record: Path) -> int | None:
    """Submit; the job's id, or None when slurmctld doesn't take it."""
    command = ("sbatch", "--parsable", "--requeue", "-o", "/dev/null", *one.arguments)
    ended = lab.run(*command, text_in=one.script(record), seconds=60)
    return int(ended.stdout.split(";")[0]) if ended.returncode == 0 else None


def all_jobs(lab: Lab) -> list[dict[str, str]]:
    """What Slurm says of every job; of each task of an array. Raises LabError when it doesn't answer."""
    asked = lab.run("scontrol", "show", "job", "-o")
    if asked.returncode:
        raise LabError(f"scontrol show job: {asked.stderr.strip()}")
    lines = [line for line in asked.stdout.splitlines() if line.startswith("JobId")]
    return [dict(re.findall(r"(?:^|\s)(\w+)=(.*?)(?=\s\w+=|$)", line)) for line in lines]


def move_up(lab: Lab) -> None:
    """The owners of jobs that wait for their begin want them now."""
    for job in all_jobs(lab):
        if job["JobState"] == "PENDING" and job["Reason"] == "BeginTime":
            lab.run("scontrol", "update", f"JobId={job['JobId']}", "StartTime=now")


def held_by_slurm(jobs: Iterable[Mapping[str, str]]) -> list[int]:
    """Those whose node refused to start them."""
    return [int(job["JobId"]) for job in jobs if job["Reason"] == "launch_failed_requeued_held"]


def submission_of(job: Mapping[str, str]) -> int:
    """The id that sbatch gave."""
    return int(job.get("ArrayJobId", job["JobId"]))


def tasks_of(job: Mapping[str, str]) -> int:
    """How many jobs this is: the tasks of an array that have not begun are one to Slurm."""
    return len(expand(f"task[{job['ArrayTaskId'].partition('%')[0]}]")) if "ArrayTaskId" in job else 1


def is_held(job: Mapping[str, str]) -> bool:
    """Whether we hold the job after too many failed starts."""
    ours = job.get("AdminComment", "").startswith("xio:")
    return job["JobState"] == "PENDING" and job["Reason"].startswith("JobHeldAdmin") and ours


def is_under_way(job: Mapping[str, str]) -> bool:
    """Whether something is still to come of it."""
    return job["JobState"] not in {"COMPLETED", "CANCELLED", "FAILED", "NODE_FAIL"} and not is_held(job)
