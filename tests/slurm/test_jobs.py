"""The main flow on a real slurmctld and slurmd: jobs run on VMs, and idle VMs go away.

Every test ends with its jobs done, no VM in the EMS, and every node idle and powered down.
"""

import json
from collections.abc import Iterator

import pexpect
import pytest
import requests

from tests.slurm.jobs import jobs, nodes_of, submit, wait_completed
from tests.slurm.versions import slurm_of
from tests.slurm.waiting import wait_for
from xio_slurm.lab import Lab
from xio_slurm.ledger import Ledger
from xio_slurm.slurm.version import FINDS_ADDRESSES

SMALL = "xio-amd-8-gb-1-cores"
NODE = "xspot-vm-amd-8-gb-1-cores-"
OTHER = "xspot-vm-amd-16-gb-2-cores-"
JOB_SECONDS = 120.0
IDLE_SECONDS = 240.0


@pytest.fixture
def cluster(lab: Lab) -> Iterator[Lab]:
    """The running lab, and after the test the proof that nothing of it is left."""
    yield lab
    lab.wait_until_idle(IDLE_SECONDS)
    assert list(Ledger(str(lab.layout.ledger)).entries()) == []


def test_srun_prints_the_nodes_name(cluster: Lab) -> None:
    ended = cluster.run("srun", "-p", SMALL, "hostname", seconds=JOB_SECONDS)
    assert (ended.returncode, ended.stdout) == (0, f"{NODE}1\n"), ended.stderr


def test_srun_on_a_terminal(cluster: Lab) -> None:
    shell = pexpect.spawn(
        "srun",
        ["-p", SMALL, "--pty", "/bin/sh"],
        env={**cluster.environment, "PS1": "prompt> "},
        timeout=JOB_SECONDS,
        encoding="utf-8",
    )
    shell.sendline("tty && echo on $(hostname)")
    shell.expect(r"/dev/pts/\d+")
    shell.expect(rf"on {NODE}\d+")
    shell.sendline("exit 3")
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == 3


def test_a_job_on_four_nodes(cluster: Lab) -> None:
    job = submit(cluster, "-p", SMALL, "-N", "4")
    assert len(nodes_of(wait_completed(cluster, job), cluster)) == 4


def test_an_array_of_twenty(cluster: Lab) -> None:
    job = submit(cluster, "-p", "xio", "-a", "1-20", command="sleep 1")
    assert len(wait_completed(cluster, job, 240)) == 20


def test_a_job_that_spans_two_pools(cluster: Lab) -> None:
    wanted = f"{NODE}3,{OTHER}2"
    job = submit(cluster, "-p", "xio", "-N", "2", "-w", wanted)
    assert nodes_of(wait_completed(cluster, job), cluster) == set(wanted.split(","))


def test_two_jobs_at_once_are_one_call(cluster: Lab) -> None:
    called = len(cluster.events("called", program="xio-resume"))
    submitted = [submit(cluster, "-p", SMALL, "--exclusive") for _ in range(2)]
    for job in submitted:
        wait_completed(cluster, job)
    calls = cluster.events("called", program="xio-resume")[called:]
    assert sum(call["nodes"] for call in calls) == 2
    assert len(calls) <= 2


def test_an_administrators_power_up_and_power_down(cluster: Lab) -> None:
    node = f"{OTHER}5"
    assert cluster.run("scontrol", "update", f"NodeName={node}", "State=POWER_UP").returncode == 0
    wait_for(lambda: cluster.nodes()[node].flags == {"CLOUD"}, 60)
    (vm,) = [vm for vm in cluster.emulator("/emulator/vms")["vms"] if vm["node"] == node and vm["gone"] is None]
    if slurm_of(cluster) < FINDS_ADDRESSES:
        assert cluster.nodes()[node].address == vm["address"]
    assert cluster.run("scontrol", "update", f"NodeName={node}", "State=POWER_DOWN").returncode == 0
    wait_for(lambda: node not in cluster.vms(), 60)


def test_a_second_family_of_nodes_works_beside_ours(cluster: Lab) -> None:
    ended = cluster.run("srun", "-p", "pc", "hostname", seconds=JOB_SECONDS)
    assert (ended.returncode, ended.stdout.strip()[:3]) == (0, "pc-"), ended.stderr


def test_a_job_on_nodes_of_both_families(cluster: Lab) -> None:
    wanted = f"{NODE}2,pc-1"
    job = submit(cluster, "-p", "mixed", "-N", "2", "-w", wanted)
    assert nodes_of(wait_completed(cluster, job), cluster) == set(wanted.split(","))
    # The stub writes down each call, and refuses one that speaks of a node that isn't its own.
    calls = [json.loads(line) for line in cluster.layout.delegated_calls.read_text().splitlines()]
    assert calls
    assert [call["refused"] for call in calls if call["refused"]] == []
    assert any(
        job == waiting["job_id"] for call in calls if call["resume_file"] for waiting in call["resume_file"]["jobs"]
    )


def test_a_refused_node_is_told_to_slurm_and_its_job_runs_later(cluster: Lab) -> None:
    fault = {"effect": "status", "status": 400, "error": "image is broken", "match": {"method": "POST"}, "times": 1}
    requests.post(f"{cluster.record.emulator_url}/emulator/faults", json=fault, timeout=10).raise_for_status()
    job = submit(cluster, "-p", SMALL)
    wait_for(lambda: cluster.events("failed", code="rejected"), 60)
    wait_for(lambda: int(jobs(cluster, job)[0]["Restarts"]), 30)
    told = {event["reason"] for event in cluster.events("told", state="DOWN")}
    assert "xio:rejected create the node: EMS 400: image is broken" in told
    # No sync is here to open the pool in time.
    wait_for(lambda: list((cluster.layout.ledger / "pools").glob("*.json")), 30)[0].unlink()
    wait_completed(cluster, job)
