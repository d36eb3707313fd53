"""How soon what failed is made good, on a lab with ``xio sync``."""

import re
import time
from collections.abc import Iterator
from typing import Final

import requests

from bench.cluster import checked, cluster, fault, no_faults, wait
from bench.figures import Recovered
from bench.timing import Say
from xio_slurm.lab import Lab, Timing
from xio_slurm.lab.options import QUICK_RECOVERY
from xio_slurm.ledger import Entry, Run, Slot

_TIMES: Final = 5
_TIMING: Final = Timing(resume_timeout=60, suspend_timeout=3, suspend_time=4)
_RESUME_TIMEOUT: Final = 600.0
"""What the scripts in use today recommend; a refused job waits for it."""
_PENDING: Final = 2.0
_ELSEWHERE: Final = 5.0
_PASS: Final = QUICK_RECOVERY.sync_interval


def measure(quick: bool, say: Say) -> Iterator[Recovered]:
    """Five refused jobs, and five orphans. ``quick``: one of each."""
    times = 1 if quick else _TIMES
    with cluster({"a": 10, "b": 10}, timing=_TIMING, boot_seconds=3, sync=True) as lab:
        for _ in range(times):
            for row in (*_refused(lab), _orphan(lab)):
                say(f"{row.what}: {row.seconds:.2f} s")
                yield row


def _refused(lab: Lab) -> Iterator[Recovered]:
    """A job whose first pool the EMS refuses, and that goes on in the other."""
    fault(lab, effect="no-capacity", match={"pool": "a"})
    seen = len(_refusals(lab))
    job = checked(lab, "sbatch", "--parsable", "-o", "/dev/null", "-p", "xio", "--wrap", "true").strip()
    refused = wait(lambda: _refusals(lab)[seen:], "the EMS's refusal")[0]
    wait(lambda: _job(lab, job, "Restarts") == "1", "the job to be requeued")
    pending = time.time() - refused
    wait(lambda: "xspot-vm-b-" in _job(lab, job, "NodeList"), "the job to go on elsewhere")
    elsewhere = time.time() - refused
    no_faults(lab)
    wait(lambda: _job(lab, job, "JobState") == "COMPLETED", "the end of the job", 180)
    lab.wait_until_idle(180)
    yield Recovered("refused → PENDING again", pending, _PENDING, _RESUME_TIMEOUT)
    yield Recovered("refused → allocated on another pool", elsewhere, _ELSEWHERE, _RESUME_TIMEOUT)


def _orphan(lab: Lab) -> Recovered:
    """A VM of ours that Slurm doesn't want: the ledger says ours, and nobody will ever ask for its end."""
    file = min((lab.layout.ledger / "nodes").glob("xspot-vm-b-*.json"))
    node, an_hour_ago = file.stem, time.time() - 3600
    Slot(file).add(Entry(node, "b", "ours", Run("xio-resume-lost", an_hour_ago), asked=an_hour_ago))
    vm = {"CPUs": 1, "ImageName": "x", "MaxMemory": 1000, "VolumeSize": 10, "UserData": ""}
    document = {"NodeName": node, "PoolName": "b", "ProfileName": "amd", "VM": vm}
    requests.post(f"{lab.emulator_url}/v1/xcompute/vm", json=document, timeout=10).raise_for_status()
    began = time.time()
    wait(lambda: node not in lab.vms(), "the end of the orphan")
    return Recovered("an orphan is gone", time.time() - began, QUICK_RECOVERY.grace + _PASS, 0.0)


def _refusals(lab: Lab) -> list[float]:
    """When the EMS answered so."""
    return [each["time"] + each["seconds"] for each in lab.requests() if each["status"] == 503]


def _job(lab: Lab, job: str, field: str) -> str:
    found = re.search(rf"\b{field}=(\S*)", checked(lab, "scontrol", "show", "job", "-o", job))
    return found[1] if found else ""
