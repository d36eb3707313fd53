"""A run: jobs come and go while everything fails now and then; after it, quiet, and the verdict."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.chaos import judging, weather, work
from tests.chaos.blows import Blows
from tests.chaos.cluster import FOREIGN, POOLS, Cluster
from tests.chaos.figures import Figures
from xio_slurm.errors import LabError, XioError

Say = Callable[[str], None]

_TICK: Final = 0.2
_DOWN: Final = frozenset({"CLOUD", "POWERED_DOWN"})
_STAYS: Final = frozenset({"NOT_RESPONDING", "PLANNED"})
"""22.05 shows these on nodes that can be used: the one after a failure, the other when it crashed in a backfill."""
_BELIEVES_AFTER: Final = 30.0
"""Seconds after its start in which slurmctld believes no node that doesn't know a job (BatchStartTimeout and more)."""
_UNSAVED: Final = 15.0
"""Seconds for which a job may be forgotten by a slurmctld that crashes: it saves every five, when it gets to it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A run's parameters. Times in seconds: of the chaos, and of the quiet after it at most.

    ``patient``: after the chaos it is left to Slurm when a slurmctld that has crashed learns which jobs have ended that
    it takes to be running (minutes), and when jobs begin again that it requeued (two more). Else an administrator has
    it ask the nodes, and the owners move their jobs up.
    """

    jobs: int
    seconds: float
    quiet: float
    share: float = 0.2
    kills: float = 0.2
    seed: int = 1
    patient: bool = True


class Chaos:
    """One run on a cluster."""

    def __init__(self, cluster: Cluster, plan: Plan, scratch: Path, say: Say) -> None:
        self._cluster = cluster
        self._lab = cluster.lab
        self._plan = plan
        self._say = say
        self._record = scratch / "jobs.log"
        self._random = Random(plan.seed)
        self._blows = Blows(cluster, self._record, plan.kills, self._random)
        self._submitted: dict[int, tuple[float, work.Submission]] = {}
        self._cancelled: set[int] = set()
        self._forgotten: list[tuple[int, float]] = []
        self._submitted_again = self._released = 0
        self._wrong_answers: frozenset[int] = frozenset()
        self._requests: list[Any] = []
        self._began = time.monotonic()

    def run(self) -> Figures:
        """All of it. The figures say what is wrong, if anything is."""
        emulator = self._cluster.emulator
        for name in FOREIGN:
            emulator.make_foreign(name)
        self._wrong_answers = frozenset(map(emulator.add_fault, weather.wrong_answers(self._plan.share)))
        for fault in weather.BAD_VMS:
            emulator.add_fault(fault)
        self._storm()
        self._requests = self._lab.requests()
        emulator.remove_faults()
        self._blows.end()
        self._tell("all faults end")
        return self._verdict(self._wait_for_quiet())

    def _storm(self) -> None:
        waiting = list(work.submissions(self._plan.jobs, self._plan.seconds * 0.85, POOLS, self._random))
        coming = list(weather.blows(self._plan.seconds, self._random))
        self._began = time.monotonic()
        while (now := time.monotonic() - self._began) < self._plan.seconds or waiting or coming:
            if now > 3 * self._plan.seconds + 60:
                raise LabError(f"{len(waiting)} jobs could not be submitted in {now:.0f} s")
            while waiting and waiting[0].at <= now and self._submit(waiting[0]):
                waiting.pop(0)
            while coming and coming[0].at <= now:
                blow = coming.pop(0)
                if self._blows.strike(blow.word):
                    self._tell(blow.word)
                if blow.word == "crash_slurmctld":
                    waiting[:0] = self._forgotten_since(self._blows.crashed_at[-1])
            self._cancel()
            self._blows.go_on()
            time.sleep(_TICK)

    def _submit(self, one: work.Submission) -> bool:
        job = work.submit(self._lab, one, self._record)
        if job is not None:
            self._submitted[job] = (time.time(), one)
        return job is not None

    def _cancel(self) -> None:
        for job, (when, one) in self._submitted.items():
            due = one.cancelled_after is not None and time.time() > when + one.cancelled_after
            if due and job not in self._cancelled and self._lab.run("scancel", str(job)).returncode == 0:
                self._cancelled.add(job)

    def _forgotten_since(self, crashed: float) -> list[work.Submission]:
        """After a crash of slurmctld: it forgets what it had not saved. Whose job is gone submits it again."""
        jobs = work.all_jobs(self._lab)
        self._forgotten += judging.forgotten(self._running(), jobs, crashed)
        known = {work.submission_of(job) for job in jobs}
        gone = [job for job, (when, _) in self._submitted.items() if job not in known and when > crashed - _UNSAVED]
        self._submitted_again += len(gone)
        self._cancelled -= {*gone}
        return [replace(self._submitted.pop(job)[1], at=0) for job in gone]

    def _running(self) -> list[judging.Running]:
        ended = judging.ends(self._lab.layout.slurmctld_log, self._forgotten)
        return judging.runs(work.words(self._record), ended)

    def _tell(self, what: str) -> None:
        self._say(f"{time.monotonic() - self._began:5.0f} s  {what}")

    # After it

    def _wait_for_quiet(self) -> float | None:
        """Seconds until nothing is left to be done, None if that doesn't come in time."""
        began, asked = time.monotonic(), False
        while time.monotonic() - began < self._plan.quiet:
            with suppress(XioError):
                if not self._unquiet():
                    return time.monotonic() - began
                self._release()
                if not self._plan.patient:
                    work.move_up(self._lab)
                    if not asked and time.monotonic() - began > _BELIEVES_AFTER:
                        asked = self._lab.run("scontrol", "reconfigure").returncode == 0
            time.sleep(1)
        return None

    def _release(self) -> None:
        """As an administrator does after a crash of slurmctld: jobs whose begin it forgot, and that it began anew.

        The node, where they are still at work, refuses them as duplicates, and Slurm holds them.
        """
        lost = {job for job, _ in self._forgotten}
        for job in lost.intersection(work.held_by_slurm(work.all_jobs(self._lab))):
            self._released += self._lab.run("scontrol", "release", str(job)).returncode == 0

    def _unquiet(self) -> list[str]:
        jobs = [job["JobId"] for job in work.all_jobs(self._lab) if work.is_under_way(job)]
        return [*(f"job {job}" for job in jobs), *self._stuck(), *(f"VM {vm}" for vm in self._leaks())]

    def _stuck(self) -> list[str]:
        return [
            f"node {node.name} ({'+'.join((node.base, *sorted(node.flags)))}) {node.reason}"
            for node in self._lab.nodes().values()
            if node.base != "IDLE" or node.flags - _STAYS != _DOWN
        ]

    def _leaks(self) -> list[str]:
        return [vm["node"] for vm in self._cluster.emulator.vms() if not vm["gone"] and vm["node"] not in FOREIGN]

    def _verdict(self, quiet: float | None) -> Figures:
        jobs = work.all_jobs(self._lab)
        vms = self._cluster.emulator.vms()
        said = work.words(self._record)
        leaks, stuck = self._leaks(), self._stuck()
        kills = judging.wrong_kills(self._running(), vms, self._blows.powered_off)
        foreign = [name for name in FOREIGN if name not in {vm["node"] for vm in vms if not vm["delete_asked"]}]
        submitted = {job: when for job, (when, _) in self._submitted.items()}
        bad = judging.wrong_ends(jobs, self._cancelled, submitted)
        held = [job for job in jobs if work.is_held(job)]
        states: Counter[str] = Counter()
        for job in jobs:
            states["HELD" if job in held else job["JobState"]] += work.tasks_of(job)
        total_jobs = sum(one.tasks for _, one in self._submitted.values())
        total, hits = judging.faults_hit(self._requests, self._wrong_answers)
        blows = self._blows.counts
        figures = Figures(
            {
                "jobs": total_jobs,
                "completed": states["COMPLETED"],
                "cancelled by their owner before that": states["CANCELLED"],
                "held": states["HELD"],
                "ended wrongly": len(bad),
                "restarts of jobs": sum(int(job["Restarts"]) for job in jobs),
                "longest wait of a job, s": round(judging.longest_wait(jobs, said, submitted), 1),
                "requests until the faults end": total,
                "of them answered wrongly": hits[0],
                "kinds of wrong answers": sum(hits[fault] > 0 for fault in self._wrong_answers),
                "restarts of the EMS": blows["restart_ems"],
                "pools out of capacity": blows["exhaust_pool"],
                "restarts of slurmctld": blows["restart_slurmctld"],
                "crashes of slurmctld": blows["crash_slurmctld"],
                "jobs that a crash lost, submitted again": self._submitted_again,
                "runs of jobs that a crash lost": len(self._forgotten),
                "of them held by Slurm, released": self._released,
                "programs killed": blows["kill_program"],
                "sync killed": blows["kill_sync"],
                "jumps of the clock": sum(blows[word] for word in ("clock_ahead", "clock_back", "clock_right")),
                "VMs made": len(vms) - len(FOREIGN),
                "VMs powered off": blows["power_off"],
                "VMs leaked": len(leaks),
                "nodes stuck": len(stuck),
                "wrong kills": len(kills),
                "foreign VMs touched": len(foreign),
                "quiet after the faults, s": round(quiet, 1) if quiet is not None else float("inf"),
            }
        )
        figures.said = [f"job {job['JobId']} is held: {job['AdminComment']}" for job in held]
        figures.wrong += bad + kills + stuck
        figures.wrong += [f"VM {name} is left" for name in leaks] + [f"VM {name} was deleted" for name in foreign]
        figures.wrong += [f"Slurm knows {states.total()} jobs"] * (states.total() != total_jobs)
        figures.wrong += [f"no quiet within {self._plan.quiet:g} s"] * (quiet is None)
        figures.wrong += self._told_bugs()
        return figures

    def _told_bugs(self) -> list[str]:
        files = (self._lab.layout.log / name for name in ("sync.out", "xio.log"))
        lines = [line for file in files if file.exists() for line in file.read_text().splitlines()]
        return [line for line in lines if "Traceback" in line or "bug report" in line.lower()][:5]
