"""xio sync on a real slurmctld and slurmd: what the programs left undone is done, and no job waits in vain."""

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import psutil
import pytest
import requests
from msgspec import structs

from tests.lab_ledger import note
from tests.slurm.conftest import short_path
from tests.slurm.jobs import jobs, submit, wait_completed
from tests.slurm.waiting import wait_for
from xio_slurm.lab import Lab, LabOptions, Timing
from xio_slurm.lab.options import QUICK_RECOVERY
from xio_slurm.ledger import Entry, Ledger, Run

SMALL = "xio-amd-8-gb-1-cores"
NODE = "xspot-vm-amd-8-gb-1-cores-1"
BOOT_TIMEOUT = 25
TIMING = Timing(resume_timeout=90, suspend_timeout=3, suspend_time=4)
"""Far apart: what a pass takes on a loaded machine doesn't bring Slurm's own end of a boot before ours."""
RECOVERY = structs.replace(QUICK_RECOVERY, boot_timeout=BOOT_TIMEOUT)
PASS_SECONDS = 15.0
"""What a pass may take on a loaded machine, and the waits of this test."""


@pytest.fixture(scope="module")
def synced() -> Iterator[Lab]:
    """A lab with xio sync beside it."""
    with Lab.up(LabOptions(short_path(), timing=TIMING, recovery=RECOVERY, sync=True)) as running:
        yield running


@pytest.fixture
def cluster(synced: Lab) -> Iterator[Lab]:
    """The lab, and after the test the proof that nothing is left: neither a VM nor an entry nor a closed pool."""
    yield synced
    faults(synced)
    synced.wait_until_idle(240)
    wait_for(lambda: list(Ledger(str(synced.layout.ledger)).entries()) == [], 30)
    log = (synced.layout.log / "sync.out").read_text()
    assert "Traceback" not in log
    assert "bug" not in log


def faults(lab: Lab, *documents: dict[str, Any]) -> None:
    """Have the EMS have these faults, and no others."""
    requests.delete(f"{lab.record.emulator_url}/emulator/faults", timeout=10).raise_for_status()
    for document in documents:
        requests.post(f"{lab.record.emulator_url}/emulator/faults", json=document, timeout=10).raise_for_status()


def make_vm(lab: Lab, node: str) -> None:
    vm = {"CPUs": 1, "ImageName": "x", "MaxMemory": 1000, "VolumeSize": 10, "UserData": ""}
    document = {"NodeName": node, "PoolName": "theirs", "ProfileName": "amd", "VM": vm}
    requests.post(f"{lab.emulator_url}/v1/xcompute/vm", json=document, timeout=10).raise_for_status()


def delete_vm(lab: Lab, node: str) -> None:
    requests.delete(f"{lab.emulator_url}/v1/xcompute/vm/{node}", timeout=10).raise_for_status()


def since(began: float, found: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [event for event in found if event["time"] > began]


def test_an_orphan_goes_within_grace_and_a_pass_and_a_foreign_vm_stays(cluster: Lab) -> None:
    job = submit(cluster, "-p", SMALL)
    wait_completed(cluster, job)
    cluster.wait_until_idle(240)
    orphan, foreign = NODE, "xspot-vm-amd-8-gb-1-cores-9"
    # A controller that lost the suspend: the ledger says ours, and nobody will ever ask for its end.
    an_hour_ago = time.time() - 3600
    run = Run("xio-resume-lost", an_hour_ago)
    note(cluster, Entry(orphan, "amd-8-gb-1-cores", "ours", run, asked=an_hour_ago))
    make_vm(cluster, foreign)
    make_vm(cluster, orphan)
    began = time.monotonic()
    wait_for(lambda: orphan not in cluster.vms(), 30)
    assert time.monotonic() - began < QUICK_RECOVERY.grace + QUICK_RECOVERY.sync_interval + PASS_SECONDS
    assert time.monotonic() - began > QUICK_RECOVERY.grace - 0.5
    wait_for(lambda: cluster.events("foreign", node=foreign), 20)
    time.sleep(3 * QUICK_RECOVERY.grace)
    assert cluster.vms() == (foreign,)
    assert len(cluster.events("foreign", node=foreign)) == 1
    delete_vm(cluster, foreign)


def test_a_vm_that_never_boots_is_given_up_and_its_job_runs_later(cluster: Lab) -> None:
    began = time.time()
    faults(cluster, {"effect": "never-boots", "times": 1})
    job = submit(cluster, "-p", SMALL)
    wait_for(lambda: since(began, cluster.events("failed", code="boot", program="xio-sync")), 60)
    told = wait_for(lambda: since(began, cluster.events("told", state="DOWN", program="xio-sync")), 10)[-1]
    asked = [event for event in cluster.events("asked", node=told["node"]) if event["time"] < told["time"]][-1]
    assert BOOT_TIMEOUT <= told["time"] - asked["time"] < TIMING.resume_timeout
    assert told["reason"].startswith("xio:boot no slurmd registered")
    wait_completed(cluster, job, 180)
    assert jobs(cluster, job)[0]["Restarts"] == "1"


def test_a_vm_deleted_behind_a_running_node_has_its_job_run_again(cluster: Lab) -> None:
    started = cluster.layout.folder / "job-started"
    job = submit(cluster, "-p", SMALL, command=f"touch {started}; sleep 15")
    wait_for(started.exists, 90)  # a launch that fails is another story
    node = jobs(cluster, job)[0]["NodeList"]
    began = time.time()
    _power_off(node, cluster)
    delete_vm(cluster, node)
    wait_for(lambda: since(began, cluster.events("told", node=node, reason="xio:boot the VM is gone")), 60)
    wait_for(lambda: int(jobs(cluster, job)[0]["Restarts"]) == 1, 30)
    wait_completed(cluster, job, 240)


def test_a_resume_that_was_killed_before_it_asked_is_made_good(cluster: Lab) -> None:
    # No answer to the list: the program waits, and is killed with nothing asked for, as in a crash.
    faults(cluster, {"effect": "latency", "seconds": 4, "match": {"path": "/v1/xcompute/vms"}, "times": 1})
    cluster.stop_sync()
    job = submit(cluster, "-p", SMALL)
    program = wait_for(lambda: _resume(cluster), 60)
    assert program is not None
    node = program.cmdline()[-1]
    _kill_after_its_note(cluster, program, node)
    began = time.time()
    cluster.start_sync()
    wait_completed(cluster, job, 180)
    assert jobs(cluster, job)[0]["Restarts"] == "0"
    assert since(began, cluster.events("decided", program="xio-sync", action="ask for a VM", node=node))


def _power_off(node: str, lab: Lab) -> None:
    """Have the VM's processes end as where its host is lost: none has a last word."""
    (first,) = [
        process
        for process in _processes()
        if "vm_init" in " ".join(process.info["cmdline"])
        and any(argument.startswith(f"{lab.layout.vms}/emulator/{node}.") for argument in process.info["cmdline"])
    ]
    inside = first.children(recursive=True)
    for process in inside:
        process.suspend()
    for process in inside:
        with suppress(psutil.NoSuchProcess):  # one of a namespace whose first process has just ended
            process.kill()


def _kill_after_its_note(lab: Lab, program: psutil.Process, node: str) -> None:
    """Kill the program, and leave the ledger as a crash between its note and its request does."""
    program.send_signal(signal.SIGKILL)
    program.wait(10)
    assert lab.vms() == ()
    now = time.time()
    note(lab, Entry(node, "amd-8-gb-1-cores", "asking", Run("xio-resume-killed", now - 1), asked=now))


def _resume(lab: Lab) -> psutil.Process | None:
    for process in _processes():
        if {"xio_slurm.power.resume", str(lab.layout.manifest)} <= {*process.info["cmdline"]}:
            return process
    return None


def _processes() -> list[psutil.Process]:
    """Every process that has a command; they come and go meanwhile."""
    return [process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"]]
