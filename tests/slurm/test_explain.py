"""``xio explain`` on a real Slurm: what it says first is the cause, of a job, a node and a pool."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from tests.slurm.conftest import QUICK, short_path
from tests.slurm.jobs import jobs, submit
from tests.slurm.waiting import wait_for
from xio_slurm.lab import Lab, LabOptions

XIO: Final = Path(__file__).resolve().parents[2] / "bin" / "xio"
POOL: Final = "amd-8-gb-1-cores"
PARTITION: Final = f"xio-{POOL}"
NODE: Final = f"xspot-vm-{POOL}-"


@pytest.fixture(scope="module")
def slow_lab() -> Iterator[Lab]:
    """A lab whose VMs boot slowly enough to be seen booting."""
    with Lab.up(LabOptions(short_path(), timing=QUICK, boot_seconds=5)) as running:
        yield running


@pytest.fixture
def cluster(slow_lab: Lab) -> Iterator[Lab]:
    """The lab, where after the test nothing is wrong any more."""
    yield slow_lab
    requests.delete(f"{slow_lab.emulator_url}/emulator/faults", timeout=10).raise_for_status()
    slow_lab.run("scancel", "--full", "-u", "root")
    slow_lab.run(XIO, "pool", "open", "--all", "--manifest", slow_lab.layout.manifest)
    held = [name for name, node in slow_lab.nodes().items() if "DRAIN" in node.flags]
    if held:
        slow_lab.run("scontrol", "update", f"NodeName={','.join(held)}", "State=RESUME")


def fault(lab: Lab, **fault: object) -> None:
    """Have the EMS misbehave."""
    requests.post(f"{lab.emulator_url}/emulator/faults", json=fault, timeout=10).raise_for_status()


def explain(lab: Lab, name: object) -> list[str]:
    """The lines that it prints; all could be seen."""
    told = lab.run(XIO, "explain", str(name), "--manifest", lab.layout.manifest)
    assert (told.returncode, told.stderr) == (0, ""), told.stdout
    return told.stdout.splitlines()


def document(lab: Lab, name: object) -> Any:
    """The same for programs."""
    return json.loads(lab.run(XIO, "explain", str(name), "--json", "--manifest", lab.layout.manifest).stdout)


def test_nothing_is_wrong_where_nothing_is(cluster: Lab) -> None:
    assert explain(cluster, POOL)[0].startswith(f"Nothing is wrong with pool {POOL}: it takes jobs, it has 10 nodes")
    assert explain(cluster, f"{NODE}7")[0].endswith("it is powered down, and comes up when a job needs it.")
    assert explain(cluster, 4711)[0] == "Slurm doesn't know job 4711 any more, or never did."
    unknown = cluster.run(XIO, "explain", f"{POOL}s", "--manifest", cluster.layout.manifest)
    assert unknown.returncode == 1
    assert f"did you mean {POOL}" in unknown.stderr


def test_a_job_whose_pool_has_no_capacity(cluster: Lab) -> None:
    fault(cluster, effect="no-capacity", match={"pool": POOL})
    job = submit(cluster, "-p", PARTITION)
    wait_for(lambda: "Restarts=1" in cluster.run("scontrol", "show", "job", str(job)).stdout, 30)
    wait_for(lambda: "closed until" in explain(cluster, POOL)[0], 10)
    cause = document(cluster, job)["cause"]
    assert cause.startswith(f"a start of job {job} failed, and it begins again") or f"job {job} waits" in cause
    assert f"pool {POOL} is closed until" in cause
    assert cause.endswith("insufficient capacity")
    timeline = "\n".join(explain(cluster, job))
    assert f"job {job} wants {NODE}1" in timeline
    assert f"{NODE}1: the EMS makes no VM: xio:capacity create the node: EMS 503: insufficient capacity" in timeline
    assert explain(cluster, POOL)[0].startswith(f"Pool {POOL} is closed until")
    assert any("xio sync isn't at work" in line for line in explain(cluster, POOL))


def test_a_vm_that_boots_and_then_runs_its_job(cluster: Lab) -> None:
    node = f"{NODE}4"
    job = submit(cluster, "-p", PARTITION, "-w", node, command="sleep 60")
    wait_for(lambda: node in cluster.vms(), 30)
    waits = f"Job {job} waits for a node: the VM of {node} has been "
    wait_for(lambda: explain(cluster, job)[0].startswith(waits), 5)
    wait_for(lambda: jobs(cluster, job)[0]["JobState"] == "RUNNING", 60)
    assert explain(cluster, node)[0] == f"Nothing is wrong with {node}: it is up and runs job {job}."
    told = document(cluster, node)
    assert (told["complete"], told["weight"], told["errors"]) == (True, "fine", [])
    words = [moment["text"] for moment in told["timeline"]]
    happened = [f"job {job} wants {node}", "asks the EMS for the VM", "its slurmd was started"]
    places = [words.index(each) for each in happened]
    assert places == sorted(places)


def test_a_vm_that_never_comes_up(cluster: Lab) -> None:
    node = f"{NODE}6"
    fault(cluster, effect="never-boots", match={"node": node})
    manifest = cluster.layout.manifest.read_text()
    document = json.loads(manifest)
    document["recovery"]["boot_timeout"] = 4
    cluster.layout.manifest.write_text(json.dumps(document))
    try:
        job = submit(cluster, "-p", PARTITION, "-w", node)
        wait_for(lambda: node in cluster.vms(), 30)
        stuck = f"Job {job} waits for a node: the VM of {node} isn't up "
        wait_for(lambda: explain(cluster, job)[0].startswith(stuck), 20)
        assert f"      xio vm show {node}" in explain(cluster, node)
    finally:
        cluster.layout.manifest.write_text(manifest)


def test_jobs_that_wait_for_slurms_own_reasons(cluster: Lab) -> None:
    held = submit(cluster, "-p", PARTITION, "--hold")
    later = submit(cluster, "-p", PARTITION, "--begin", "now+1hour")
    after = submit(cluster, "-p", PARTITION, "--dependency", f"afterok:{held}")
    array = submit(cluster, "-p", PARTITION, "--hold", "--array", "3-4")
    assert explain(cluster, held)[0] == f"Job {held} is held by its user."
    assert f"  when it may begin: scontrol release {held}" in explain(cluster, held)
    wait_for(lambda: "Slurm's own reason BeginTime" in explain(cluster, later)[0], 10)
    wait_for(lambda: "Slurm's own reason Dependency" in explain(cluster, after)[0], 10)
    assert explain(cluster, array)[0] == f"Job {array} is held by its user."
    cluster.run(
        "scontrol", "update", f"jobid={held}", "AdminComment=xio: boot held after 5 failed starts: none registered"
    )
    assert explain(cluster, held)[0] == f"Job {held} is held after 5 failed starts: none registered."


def test_a_node_that_somebody_drained_and_a_job_that_wants_it(cluster: Lab) -> None:
    node = f"{NODE}9"
    cluster.run("scontrol", "update", f"nodename={node}", "state=drain", "reason=disk broken")
    (cause, *_) = explain(cluster, node)
    assert cause.startswith(f"{node} was taken out of use by root (")
    assert cause.endswith(": disk broken.")
    job = submit(cluster, "-p", PARTITION, "-w", node)
    wait_for(lambda: explain(cluster, job)[0].startswith(f"Job {job} asks for a node by name: {node} was taken"), 20)


def test_without_slurmctld_it_says_so_and_what_the_ledger_knows(cluster: Lab) -> None:
    cluster.stop_slurmctld()
    try:
        told = cluster.run(XIO, "explain", f"{NODE}1", "--manifest", cluster.layout.manifest)
        assert told.returncode == 1
        assert told.stdout.splitlines()[0].startswith("Slurm doesn't answer: ")
        assert "systemctl status slurmctld" in told.stdout
        assert "Slurm's nodes couldn't be seen" in told.stderr
    finally:
        cluster.start_slurmctld()
