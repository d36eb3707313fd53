"""Labs to measure on: real clusters on this machine, in short folders, with pools of a measurement's own."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import requests

from bench.timing import BenchError
from xio_slurm.lab import Lab, LabOptions, Timing

PATIENT: Final = Timing(resume_timeout=600, suspend_timeout=5, suspend_time=3600)
"""No node is powered down again while something is measured."""

T = TypeVar("T")


@contextmanager
def cluster(
    pools: Mapping[str, int],
    *,
    timing: Timing = PATIENT,
    boot_seconds: float = 0.0,
    slurm_conf: str = "",
    sync: bool = False,
) -> Iterator[Lab]:
    """A lab with pools of these sizes, gone afterwards. ``slurm_conf``: lines for the end of that file."""
    listed = ", ".join(
        f"{{PoolName: {name}, ProfileName: amd, PoolSize: {size}, CPUs: 1, MaxMemory: 1000}}"
        for name, size in pools.items()
    )
    with tempfile.TemporaryDirectory(prefix="xio-b-", dir="/tmp") as folder:  # a short path, for the sockets in it
        config = Path(folder) / "xio.yaml"
        config.write_text(
            "slurm:\n  Xio:\n    ManagementServerIp: 127.0.0.1\n    DefaultImageName: image\n"
            "    Profiles: [{ProfileName: amd, NodeGroupName: amd, InstanceTypes: [c6a], SpotFleetTypes: [c6a, m6a]}]\n"
            f"    Pools: [{listed}]\n"
        )
        options = LabOptions(
            Path(folder) / "lab",
            config=config,
            timing=timing,
            boot_seconds=boot_seconds,
            slurm_conf=slurm_conf,
            sync=sync,
        )
        Path(folder).chmod(0o755)  # for SlurmUser
        with Lab.up(options) as lab:
            yield lab


def fault(lab: Lab, **document: object) -> None:
    """Have the EMS misbehave."""
    requests.post(f"{lab.emulator_url}/emulator/faults", json=document, timeout=10).raise_for_status()


def no_faults(lab: Lab) -> None:
    """Have the EMS behave again."""
    requests.delete(f"{lab.emulator_url}/emulator/faults", timeout=10).raise_for_status()


def checked(lab: Lab, *command: str) -> str:
    """What a command prints that must succeed. Raises BenchError."""
    ended = lab.run(*command)
    if ended.returncode != 0:
        raise BenchError(f"{' '.join(command)[:80]}: exit code {ended.returncode}: {ended.stderr.strip()[:200]}")
    return ended.stdout


def wait(condition: Callable[[], T], what: str, seconds: float = 120.0) -> T:
    """Ask until the condition holds, and return what it said. Raises BenchError if it doesn't in time."""
    deadline = time.monotonic() + seconds
    while not (said := condition()):
        if time.monotonic() > deadline:
            raise BenchError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.02)
    return said
