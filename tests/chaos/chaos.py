"""A run: jobs come and go while everything fails now and then; after it, quiet, and the verdict."""

import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import psutil
import requests

from tests.chaos import judging, weather, work
from tests.chaos.cluster import FOREIGN, POOLS
from tests.chaos.door import Door
from tests.chaos.judging import Figures
from xio_slurm.errors import LabError, XioError
from xio_slurm.lab import Lab

Say = Callable[[str], None]

_TICK: Final = 0.2
_EMS_AWAY: Final = 4.0
_PROGRAMS: Final = frozenset({"xio_slurm.power.resume", "xio_slurm.power.suspend"})


@dataclass(frozen=True, slots=True)
class Plan:
    """A run's parameters. Times in seconds: of the chaos, and of the quiet after it at most."""

    jobs: int
    seconds: float
    quiet: float
    share: float = 0.2
    kills: float = 0.2
    seed: int = 1


class Chaos:
    """One run on a lab."""

    def __init__(self, lab: Lab, door: Door, plan: Plan, scratch: Path, say: Say) -> None:
        self._lab = lab
        self._door = door
        self._plan = plan
        self._say = say
        self._record = scratch / "jobs.log"
        self._random = Random(plan.seed)
        self._exhausted = self._random.choice(POOLS)
        self._blows: Counter[str] = Counter()
        self._submitted: dict[int, tuple[float, work.Submission]] = {}
        self._cancelled: set[int] = set()
        self._powered_off: set[int] = set()
        self._seen: set[psutil.Process] = set()
        self._doomed: dict[psutil.Process, float] = {}
        self._capacity_fault: int | None = None
        self._opens_at: float | None = None
        self._requests = self._hit = 0
        self._began = time.monotonic()

    def run(self) -> Figures:
        """All of it. The figures say what is wrong, if anything is."""
        for name in FOREIGN:
            self._make_foreign(name)
        for fault in weather.faults(self._plan.share):
            self._control("POST", "faults", fault)
        self._storm()
        self._clear()
        quiet = self._wait_for_quiet()
        return self._verdict(quiet)

    # What goes on

    def _storm(self) -> None:
        waiting = list(work.submissions(self._plan.jobs, self._plan.seconds * 0.85, POOLS, self._random))
        coming = list(weather.blows(self._plan.seconds, self._random))
        self._began = time.monotonic()
        while (now := time.monotonic() - self._began) < self._plan.seconds or waiting:
            if now > 3 * self._plan.seconds + 60:
                raise LabError(f"{len(waiting)} jobs could not be submitted in {now:.0f} s")
            while waiting and waiting[0].at <= now and self._submit(waiting[0]):
                waiting.pop(0)
            while coming and coming[0].at <= now:
                self._strike(coming.pop(0).word)
            self._cancel()
            self._kill_programs()
            self._open_again()
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

    def _kill_programs(self) -> None:
        """Some of the programs get a moment to live from when they are first seen."""
        now = time.monotonic()
        for process in psutil.process_iter(["cmdline"]):
            command = set(process.info["cmdline"] or ())
            if process in self._seen or not command & _PROGRAMS or str(self._lab.layout.manifest) not in command:
                continue
            self._seen.add(process)
            if self._random.random() < self._plan.kills:
                self._doomed[process] = now + self._random.uniform(0, 1.5)
        for process in [process for process, when in self._doomed.items() if when <= now]:
            del self._doomed[process]
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
                self._blows["kill_program"] += 1

    # Blows

    def _strike(self, word: str) -> None:
        if getattr(self, word)() is not False:
            self._blows[word] += 1
            self._say(f"{time.monotonic() - self._began:5.0f} s  {word}")

    def restart_ems(self) -> None:
        """It is away for seconds, and cuts off what it was at."""
        self._door.close()
        self._opens_at = time.monotonic() + _EMS_AWAY

    def restart_slurmctld(self) -> None:
        """With the programs that it has called: they are asked to end."""
        self._lab.restart_slurmctld()

    def kill_sync(self) -> None:
        """And start it again, as systemd does."""
        self._lab.kill_sync()
        self._lab.start_sync()

    def exhaust_pool(self) -> None:
        """No capacity in one pool."""
        fault = {"effect": "no-capacity", "match": {"pool": self._exhausted}}
        self._capacity_fault = self._control("POST", "faults", fault)["id"]

    def refill_pool(self) -> None:
        """Its capacity is back."""
        self._control("DELETE", f"faults/{self._capacity_fault}")

    def power_off(self) -> bool:
        """A VM's host is lost, preferably one with a job at work. False where there is no VM."""
        up = {vm["node"]: vm["serial"] for vm in self._vms() if vm["up"] and not vm["gone"] and not vm["delete_asked"]}
        up = {node: serial for node, serial in up.items() if node not in FOREIGN}
        busy = self._busy() & set(up)
        if not up:
            return False
        node = self._random.choice(sorted(busy or up))
        self._powered_off.add(up[node])
        self._end_processes(node)
        self._delete(node, up[node])
        return True

    def _busy(self) -> set[str]:
        running = judging.runs(work.words(self._record), judging.ends(self._lab.layout.slurmctld_log))
        return {node for run in running if run.end == float("inf") for node in run.nodes}

    def _end_processes(self, node: str) -> None:
        """None has a last word: all are stopped before the first ends."""
        mark = f"{self._lab.layout.vms}/emulator/{node}."
        for process in psutil.process_iter(["cmdline"]):
            command = process.info["cmdline"] or []
            if "vm_init" not in " ".join(command) or not any(part.startswith(mark) for part in command):
                continue
            with suppress(psutil.NoSuchProcess):
                inside = process.children(recursive=True)
                for word in (signal.SIGSTOP, signal.SIGKILL):
                    for one in inside:
                        with suppress(psutil.NoSuchProcess):
                            one.send_signal(word)

    def _delete(self, node: str, serial: int) -> None:
        for _ in range(50):
            if not any(vm["serial"] == serial and not vm["gone"] and not vm["delete_asked"] for vm in self._vms()):
                return
            with suppress(requests.RequestException):
                requests.delete(f"{self._lab.emulator_url}/v1/xcompute/vm/{node}", timeout=10)

    def _open_again(self) -> None:
        if self._opens_at is not None and time.monotonic() >= self._opens_at:
            self._opens_at = None
            self._door.open()

    # The emulator

    def _control(self, method: str, path: str, document: object = None) -> Any:
        url = f"{self._lab.emulator_url}/emulator/{path}"
        answer = requests.request(method, url, json=document, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def _vms(self) -> list[dict[str, Any]]:
        vms: list[dict[str, Any]] = self._control("GET", "vms")["vms"]
        return vms

    def _make_foreign(self, node: str) -> None:
        vm = {"CPUs": 1, "ImageName": "x", "MaxMemory": 1000, "VolumeSize": 10, "UserData": ""}
        document = {"NodeName": node, "PoolName": "theirs", "ProfileName": "az1", "VM": vm}
        requests.post(f"{self._lab.emulator_url}/v1/xcompute/vm", json=document, timeout=10).raise_for_status()

    # After it

    def _clear(self) -> None:
        """All faults end."""
        self._requests, self._hit = judging.faults_hit(self._lab.requests())
        self._control("DELETE", "faults")
        self._opens_at = self._opens_at and 0.0
        self._open_again()
        self._say(f"{time.monotonic() - self._began:5.0f} s  all faults end")

    def _wait_for_quiet(self) -> float | None:
        """Seconds until nothing is left to be done, None if that doesn't come in time."""
        began = time.monotonic()
        while time.monotonic() - began < self._plan.quiet:
            with suppress(XioError):
                if not self._unquiet():
                    return time.monotonic() - began
            time.sleep(1)
        return None

    def _unquiet(self) -> list[str]:
        jobs = [job["JobId"] for job in work.all_jobs(self._lab) if _is_under_way(job)]
        return [*(f"job {job}" for job in jobs), *self._stuck(), *(f"VM {vm}" for vm in self._leaks())]

    def _stuck(self) -> list[str]:
        return [
            f"node {node.name} ({'+'.join((node.base, *sorted(node.flags)))}) {node.reason}"
            for node in self._lab.nodes().values()
            if node.base != "IDLE" or node.flags - {"NOT_RESPONDING"} != {"CLOUD", "POWERED_DOWN"}
        ]

    def _leaks(self) -> list[str]:
        return [vm["node"] for vm in self._vms() if not vm["gone"] and vm["node"] not in FOREIGN]

    def _verdict(self, quiet: float | None) -> Figures:
        jobs = work.all_jobs(self._lab)
        vms = self._vms()
        said = work.words(self._record)
        running = judging.runs(said, judging.ends(self._lab.layout.slurmctld_log))
        leaks, stuck = self._leaks(), self._stuck()
        kills = judging.wrong_kills(running, vms, self._powered_off)
        foreign = [name for name in FOREIGN if name not in {vm["node"] for vm in vms if not vm["delete_asked"]}]
        submitted = {job: when for job, (when, _) in self._submitted.items()}
        bad = judging.wrong_ends(jobs, self._cancelled, submitted)
        held = sum(judging.is_held(job) for job in jobs)
        states = Counter(job["JobState"] for job in jobs)
        figures = Figures(
            {
                "jobs": sum(one.tasks for _, one in self._submitted.values()),
                "completed": states["COMPLETED"],
                "cancelled before an end": states["CANCELLED"],
                "held": held,
                "jobs that ended wrongly": len(bad),
                "restarts of jobs": sum(int(job["Restarts"]) for job in jobs),
                "requests until the faults end": self._requests,
                "hit by a fault": self._hit,
                "VMs made": len(vms) - len(FOREIGN),
                "VMs powered off": self._blows["power_off"],
                "programs killed": self._blows["kill_program"],
                "sync killed": self._blows["kill_sync"],
                "restarts of the EMS": self._blows["restart_ems"],
                "restarts of slurmctld": self._blows["restart_slurmctld"],
                "steps that failed": sum(word.what == "step-failed" for word in said),
                "VMs leaked": len(leaks),
                "nodes stuck": len(stuck),
                "wrong kills": len(kills),
                "foreign VMs touched": len(foreign),
                "longest wait of a job, s": round(_longest_wait(jobs, said, submitted), 1),
                "quiet after the faults, s": round(quiet, 1) if quiet is not None else float("inf"),
            }
        )
        figures.wrong += bad + kills + stuck
        figures.wrong += [f"VM {name} is left" for name in leaks] + [f"VM {name} was deleted" for name in foreign]
        figures.wrong += self._told_bugs()
        return figures

    def _told_bugs(self) -> list[str]:
        files = (self._lab.layout.log / name for name in ("sync.out", "xio.log"))
        lines = [line for file in files if file.exists() for line in file.read_text().splitlines()]
        return [line for line in lines if "Traceback" in line or "bug report" in line.lower()][:5]


def _is_under_way(job: dict[str, str]) -> bool:
    return job["JobState"] not in {"COMPLETED", "CANCELLED", "FAILED", "NODE_FAIL"} and not judging.is_held(job)


def _longest_wait(jobs: list[dict[str, str]], said: list[work.Word], submitted: dict[int, float]) -> float:
    """From its submission until a job's script began for the last time."""
    there = {int(job["JobId"]) for job in jobs}
    began = {word.job: word for word in said if word.what == "begin" and word.job in there}
    return max((word.time - submitted[word.submitted] for word in began.values()), default=0.0)
