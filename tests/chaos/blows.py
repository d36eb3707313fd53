"""What hits single parts of the cluster. Each blow is a method; its name is the weather's word for it."""

import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

import psutil

from tests.chaos import judging, work
from tests.chaos.cluster import FOREIGN, POOLS, PROGRAMS, Cluster

_EMS_AWAY: Final = 4.0
_PROGRAMS: Final = frozenset(PROGRAMS.values())
_JUMPS: Final = (60.0, 300.0)


class Blows:
    """Those of one run. ``kills``: the share of the programs that are killed. ``random`` is the run's."""

    def __init__(self, cluster: Cluster, record: Path, kills: float, random: Random) -> None:
        self.counts: Counter[str] = Counter()
        self.powered_off: set[int] = set()
        self.crashed_at: list[float] = []
        self._cluster = cluster
        self._lab = cluster.lab
        self._record = record
        self._kills = kills
        self._random = random
        self._exhausted = random.choice(POOLS)
        self._capacity_fault: int | None = None
        self._opens_at: float | None = None
        self._seen: set[psutil.Process] = set()
        self._doomed: dict[psutil.Process, float] = {}

    def strike(self, word: str) -> bool:
        """False where there was nothing to hit."""
        hit = getattr(self, word)() is not False
        self.counts[word] += hit
        return hit

    def go_on(self) -> None:
        """What blows leave for later: programs die, the EMS comes back."""
        self._kill_programs()
        if self._opens_at is not None and time.monotonic() >= self._opens_at:
            self._open()

    def end(self) -> None:
        """What is broken becomes whole."""
        if self._opens_at is not None:
            self._open()
        self._cluster.clock.set(0)

    def restart_ems(self) -> None:
        """It is away for seconds, and cuts off what it was at."""
        self._cluster.door.close()
        self._opens_at = time.monotonic() + _EMS_AWAY

    def _open(self) -> None:
        self._opens_at = None
        self._cluster.door.open()

    def restart_slurmctld(self) -> None:
        """With the programs that it has called: they are asked to end."""
        self._lab.restart_slurmctld()

    def crash_slurmctld(self) -> None:
        """SIGKILL, to it alone: what it hasn't saved is lost, and the programs that it has called go on."""
        self.crashed_at.append(time.time())
        self._lab.kill_slurmctld()
        self._lab.start_slurmctld()

    def kill_sync(self) -> None:
        """And start it again, as systemd does."""
        self._lab.kill_sync()
        self._cluster.start_sync()

    def clock_ahead(self) -> None:
        """By minutes."""
        self._cluster.clock.set(self._random.uniform(*_JUMPS))

    def clock_back(self) -> None:
        """By minutes, behind the right time, from wherever it was."""
        self._cluster.clock.set(-self._random.uniform(*_JUMPS))

    def clock_right(self) -> None:
        """Somebody has mended it."""
        self._cluster.clock.set(0)

    def exhaust_pool(self) -> None:
        """No capacity in one pool."""
        fault = {"effect": "no-capacity", "match": {"pool": self._exhausted}}
        self._capacity_fault = self._cluster.emulator.add_fault(fault)

    def refill_pool(self) -> None:
        """Its capacity is back."""
        assert self._capacity_fault is not None
        self._cluster.emulator.remove_fault(self._capacity_fault)

    def power_off(self) -> bool:
        """A VM's host is lost, preferably one with a job at work. False where there is no VM."""
        vms = self._cluster.emulator.vms()
        up = {vm["node"]: vm["serial"] for vm in vms if vm["up"] and not vm["gone"] and not vm["delete_asked"]}
        up = {node: serial for node, serial in up.items() if node not in FOREIGN}
        if not up:
            return False
        node = self._random.choice(sorted(self._busy() & set(up) or up))
        self.powered_off.add(up[node])
        self._end_processes(node)
        self._cluster.emulator.delete(node, up[node])
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

    def _kill_programs(self) -> None:
        """Some of the programs get a moment to live from when they are first seen."""
        now = time.monotonic()
        for process in psutil.process_iter(["cmdline"]):
            command = set(process.info["cmdline"] or ())
            if process in self._seen or not command & _PROGRAMS or str(self._lab.layout.manifest) not in command:
                continue
            self._seen.add(process)
            if self._random.random() < self._kills:
                self._doomed[process] = now + self._random.uniform(0, 1.5)
        for process in [process for process, when in self._doomed.items() if when <= now]:
            del self._doomed[process]
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
                self.counts["kill_program"] += 1
