"""The cluster of the crash points: pools whose nodes come up, are refused once, never boot once, or lose their VM."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psutil
import requests
import yaml

from tests.lab_config import config_of
from tests.lab_ledger import note
from xio_slurm.lab import Lab, LabOptions, Timing
from xio_slurm.lab import folder as lab_folder
from xio_slurm.lab.processes import MARK
from xio_slurm.ledger import Entry, Run
from xio_slurm.manifest import Recovery

PLAIN: Final = 16
"""Nodes of which nothing is wrong."""
FULL: Final = 42
"""Pools that have no capacity once, of two nodes each: one for a job, one to be taken out of use."""
DEAD: Final = 24
"""Nodes whose first VM never boots."""
LOST: Final = 14
"""Nodes whose first VM is lost under a job."""
UNASKED: Final = 6
"""Nodes for which xio-resume never comes: all of their VMs are asked for by sync."""
ORPHANS: Final = 4
"""Nodes with a VM of ours that Slurm has forgotten."""
FOREIGN: Final = ("theirs-1", "xspot-vm-lent-1")
"""VMs that this cluster didn't make; one has a name as ours would have it."""

_CALLS: Final = Path(__file__).with_name("calls.py")
_TIMING: Final = Timing(resume_timeout=30, suspend_timeout=8, suspend_time=3)
_BOOT_SECONDS: Final = 8.0
"""More than sync needs to take a VM for another cluster's."""
_RECOVERY: Final = Recovery(
    retry_seconds=2,
    boot_timeout=600,  # or sync would come before xio-resume-fail
    close_seconds=15,
    longest_close_seconds=15,
    boot_failures=1000,
    failed_starts=0,
    grace=0.6,
    sync_interval=0.2,
    most_deletes=1,  # one kill leaves work of the same kind to the next
)
_PLACES_ON_THE_WAY_OUT: Final = 20
"""More than there are."""

_REQUEUED_SECONDS: Final = 10
"""For so long a requeued job waits that nobody was left to move up; with Slurm's own setting two minutes."""


class Cluster:
    """The lab, whose programs are killed; ``folder`` has what came of that."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self._folder = folder
        self._sync: subprocess.Popen[bytes] | None = None

    def places(self) -> list[dict[str, Any]]:
        """Where programs were killed so far."""
        return self._told("places")

    def ends(self) -> list[dict[str, Any]]:
        """How the calls ended that have."""
        return self._told("ends")

    def _told(self, file: str) -> list[dict[str, Any]]:
        lines = (self._folder / file).read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]  # the last may be half written

    def start_sync(self) -> None:
        """Start ``xio sync``, again and again while it is killed."""
        with (self.lab.layout.log / "sync.out").open("ab") as output:
            self._sync = subprocess.Popen(
                _command(self._folder, self.lab, "xio-sync"),
                env={**self.lab.environment, MARK: str(self.lab.layout.folder)},
                stdin=subprocess.DEVNULL,
                stderr=output,
                start_new_session=True,
            )

    def stop_sync(self) -> None:
        """Stop it as systemd does; once more, where it was killed on its way out."""
        self._end_sync()
        for _ in range(_PLACES_ON_THE_WAY_OUT):
            if any(end["program"] == "xio-sync" and end["code"] == 0 for end in self.ends()):
                return
            self.start_sync()
            time.sleep(2)
            self._end_sync()

    def _end_sync(self) -> None:
        while self._sync is not None and self._sync.poll() is None:
            os.killpg(self._sync.pid, signal.SIGTERM)  # again, should it just have been started
            with suppress(subprocess.TimeoutExpired):
                self._sync.wait(5)

    def fault(self, effect: str, **match: str) -> None:
        """Have this effect once."""
        document = {"effect": effect, "match": match, "times": 1}
        requests.post(f"{self.lab.emulator_url}/emulator/faults", json=document, timeout=10).raise_for_status()

    def make_orphan(self, number: int) -> None:
        """A VM that is ours by the ledger, and for whose end nobody will ask."""
        node = f"xspot-vm-orphan-{number}"
        an_hour_ago = time.time() - 3600
        note(self.lab, Entry(node, "orphan", "ours", Run("xio-resume-long-ago", an_hour_ago), asked=an_hour_ago))
        self.make_vm(node)

    def make_vm(self, node: str) -> None:
        """Not by our programs."""
        vm = {"CPUs": 1, "ImageName": "x", "MaxMemory": 1000, "VolumeSize": 10, "UserData": ""}
        document = {"NodeName": node, "PoolName": "theirs", "ProfileName": "amd", "VM": vm}
        requests.post(f"{self.lab.emulator_url}/v1/xcompute/vm", json=document, timeout=10).raise_for_status()

    def vms_ever(self, node: str) -> list[dict[str, Any]]:
        """Every VM of that name that the EMS has made."""
        return [vm for vm in self.lab.emulator("/emulator/vms")["vms"] if vm["node"] == node]

    @property
    def until_its_node_is_lost(self) -> str:
        """A job's command: it runs until ``lose`` comes, and on a node that was lost once it has nothing to do."""
        return f"[ -e {self._folder}/lost-$SLURMD_NODENAME ] || sleep 900"

    def lose(self, node: str) -> None:
        """The VM ends as where its host is lost: none of its processes has a last word."""
        (self._folder / f"lost-{node}").touch()
        first = psutil.Process(self.vms_ever(node)[-1]["pid"]).parent()
        assert first is not None
        inside = first.children(recursive=True)
        for act in (psutil.Process.suspend, psutil.Process.kill):
            for process in inside:
                with suppress(psutil.NoSuchProcess):  # one of a namespace whose first process has just ended
                    act(process)
        requests.delete(f"{self.lab.emulator_url}/v1/xcompute/vm/{node}", timeout=10).raise_for_status()


@contextmanager
def cluster(folder: Path, scratch: Path) -> Iterator[Cluster]:
    """It is up, with no sync yet. ``scratch`` is for the configuration."""
    config = scratch / "crash-points.yaml"
    config.write_text(yaml.safe_dump(_config()))
    patience = f"AuthInfo=socket={folder}/munge/munge.sock,cred_expire={_REQUEUED_SECONDS}\n"
    options = LabOptions(
        folder, config=config, timing=_TIMING, slurm_conf=patience, boot_seconds=_BOOT_SECONDS, recovery=_RECOVERY
    )
    with Lab.up(options) as lab:
        told = folder / "killed"
        told.mkdir()
        for name in ("places", "ends"):
            lab_folder.write(told / name, "", mode=0o666)  # for root's sync and SlurmUser's programs
        for program in ("xio-resume", "xio-suspend", "xio-resume-fail"):
            command = shlex.join(_command(told, lab, program))
            lab_folder.write(lab.layout.bin / program, f'#!/bin/sh\nexec {command} "$1"\n', mode=0o755)
        made = Cluster(lab, told)
        try:
            yield made
        finally:
            made.stop_sync()


def _command(folder: Path, lab: Lab, program: str) -> tuple[str, ...]:
    return (sys.executable, "-I", str(_CALLS), str(folder), str(lab.layout.manifest), program)


def _config() -> dict[str, Any]:
    sizes = {"plain": PLAIN, "dead": DEAD, "lost": LOST, "unasked": UNASKED, "orphan": ORPHANS, "lent": 1}
    full = {f"full{number}": 2 for number in range(FULL)}
    return config_of({**sizes, **full}, cpus=1, MaxConcurrentRequests=1)  # one kill ends the work on one node
