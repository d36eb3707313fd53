"""Starts that fail on a real slurmctld: jobs go on elsewhere within seconds, and nothing is left booting for nobody."""

import json
import re
import time
from collections.abc import Callable, Iterator

import pytest
import requests

from tests.slurm.conftest import QUICK, short_path
from tests.slurm.jobs import jobs, nodes_of, submit, wait_completed
from tests.slurm.waiting import wait_for
from xio_slurm.lab import Lab, LabOptions
from xio_slurm.power.heartbeat import Heartbeat, write

PENDING_SECONDS = 2.0
ELSEWHERE_SECONDS = 5.0
SLACK = 6.0
"""So many times as long may it take on a machine that does other things too."""

POOL = "amd-8-gb-1-cores"
NODE = f"xspot-vm-{POOL}-"
OTHER = "xspot-vm-amd-16-gb-2-cores-"


@pytest.fixture(scope="module")
def slow_lab() -> Iterator[Lab]:
    """A lab whose VMs boot slowly enough to be seen booting."""
    with Lab.up(LabOptions(short_path(), timing=QUICK, boot_seconds=6)) as running:
        yield running


@pytest.fixture
def cluster(slow_lab: Lab) -> Iterator[Lab]:
    """The lab with an EMS that does what it is asked, all pools open, and after the test nothing left."""
    for folder in ("pools", "jobs"):
        for file in (slow_lab.layout.ledger / folder).glob("*.json"):
            file.unlink()
    (slow_lab.layout.ledger / "sync.json").unlink(missing_ok=True)
    manifest = slow_lab.layout.manifest.read_text()
    yield slow_lab
    slow_lab.layout.manifest.write_text(manifest)
    requests.delete(f"{slow_lab.emulator_url}/emulator/faults", timeout=10).raise_for_status()
    slow_lab.run("scancel", "--full", "-u", "root")
    _release(slow_lab)
    slow_lab.wait_until_idle(240)


def _release(lab: Lab) -> None:
    drained = [name for name, node in lab.nodes().items() if "DRAIN" in node.flags]
    if drained:
        lab.run("scontrol", "update", f"NodeName={','.join(drained)}", "State=RESUME")


def fault(lab: Lab, **fault: object) -> None:
    """Have the EMS misbehave."""
    requests.post(f"{lab.emulator_url}/emulator/faults", json=fault, timeout=10).raise_for_status()


def let_sync_be_alive(lab: Lab) -> None:
    """As if a sync were at work: without one, no node is taken out of use."""
    write(str(lab.layout.ledger), Heartbeat(time.time(), 1, "here", 60.0))
    (lab.layout.ledger / "sync.json").chmod(0o644)  # for SlurmUser


def set_recovery(lab: Lab, **fields: float) -> None:
    """Change what the programs do about failures, until the end of the test."""
    document = json.loads(lab.layout.manifest.read_text())
    document["recovery"] |= fields
    lab.layout.manifest.write_text(json.dumps(document))


def when(condition: Callable[[], object], seconds: float = 60.0) -> float:
    """When a condition holds, in seconds since 1970."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return time.time()


def comment_of(lab: Lab, job: int) -> str:
    """A job's AdminComment."""
    found = re.search(r"AdminComment=(.*)", lab.run("scontrol", "show", "job", str(job)).stdout)
    return found[1].strip() if found else ""


def test_a_job_whose_pool_has_no_capacity_goes_on_in_another(cluster: Lab) -> None:
    let_sync_be_alive(cluster)
    fault(cluster, effect="no-capacity", match={"pool": POOL})
    job = submit(cluster, "-p", "xio", "-N", "2")
    when(lambda: any(request["status"] == 503 for request in cluster.requests()))
    (refused, *_) = (request["time"] for request in cluster.requests() if request["status"] == 503)
    pending = when(lambda: jobs(cluster, job)[0]["Restarts"] == "1") - refused
    elsewhere = when(lambda: OTHER in jobs(cluster, job)[0]["NodeList"]) - refused
    print(f"refused → PENDING again {pending:.2f} s, → allocated on another pool {elsewhere:.2f} s")
    assert pending < SLACK * PENDING_SECONDS
    assert elsewhere < SLACK * ELSEWHERE_SECONDS
    assert (
        comment_of(cluster, job) == "xio: capacity failed start 1 of 5: create the node: EMS 503: insufficient capacity"
    )
    assert all(node.startswith(OTHER) for node in nodes_of(wait_completed(cluster, job), cluster))
    assert len(cluster.events("closed", pool=POOL)) == 1


def test_a_node_that_fails_takes_its_jobs_other_nodes_with_it_but_not_anothers(cluster: Lab) -> None:
    three, shared = f"{NODE}[1-3]", f"{NODE}1"
    fault(cluster, effect="latency", seconds=1.5, match={"method": "POST", "node": f"{NODE}3"})
    fault(cluster, effect="no-capacity", match={"node": f"{NODE}3"})
    alone = submit(cluster, "-p", "xio", "-w", shared, "--mem=100", "-c", "1", "--overcommit")
    job = submit(cluster, "-p", "xio", "-N", "3", "-w", three, "--mem=100", "--overcommit")
    wait_for(lambda: cluster.events("surplus", node=f"{NODE}2"), 60)
    wait_for(lambda: f"{NODE}2" not in cluster.vms(), 30)
    assert {event["node"] for event in cluster.events("surplus")} == {f"{NODE}2"}
    assert cluster.events("surplus")[0]["text"].startswith(f"its job {job} can not start: xio:capacity")
    assert nodes_of(wait_completed(cluster, alone), cluster) == {shared}


def test_who_waits_at_a_terminal_is_told(cluster: Lab) -> None:
    fault(cluster, effect="no-capacity", match={"pool": POOL})
    ended = cluster.run("srun", "-p", f"xio-{POOL}", "-N", "2", "hostname")
    assert ended.returncode != 0
    assert (
        "xio:capacity a node of this job can't come up: create the node: EMS 503: insufficient capacity" in ended.stderr
    )


def test_after_too_many_failed_starts_a_job_is_held_until_it_is_released(cluster: Lab) -> None:
    set_recovery(cluster, failed_starts=2, retry_seconds=0.2)
    fault(cluster, effect="status", status=500, error="disk failure", match={"method": "POST"})
    job = submit(cluster, "-p", "xio")
    wait_for(lambda: "failed start 1 of 2" in comment_of(cluster, job), 60)
    assert "DRAIN" not in {flag for node in cluster.nodes().values() for flag in node.flags}
    wait_for(lambda: jobs(cluster, job)[0]["Reason"] == "JobHeldAdmin", 90)
    assert comment_of(cluster, job) == (
        "xio: ems held after 2 failed starts: create the node: EMS 500: disk failure; "
        f"'scontrol release {job}' tries again"
    )
    requests.delete(f"{cluster.emulator_url}/emulator/faults", timeout=10).raise_for_status()
    assert cluster.run("scontrol", "release", str(job)).returncode == 0
    wait_completed(cluster, job)


def test_an_ems_that_is_away_is_told_once_and_jobs_wait_for_it(cluster: Lab) -> None:
    let_sync_be_alive(cluster)
    set_recovery(cluster, retry_seconds=1)
    before = len(cluster.events("closed", pool="all"))
    fault(cluster, effect="lost-request")
    array = submit(cluster, "-p", "xio", "-a", "1-3")
    wait_for(lambda: len(cluster.events("closed", pool="all")) > before, 60)
    wait_for(lambda: {job["Restarts"] for job in jobs(cluster, array)} == {"1"}, 30)
    wait_for(lambda: "xio: unreachable the EMS at" in comment_of(cluster, array), 30)
    assert "failed start" not in comment_of(cluster, array)
    time.sleep(2)
    assert len(cluster.events("closed", pool="all")) == before + 1
    drained = {name for name, node in cluster.nodes().items() if "DRAIN" in node.flags}
    assert len(drained) >= len(cluster.nodes()) - 3
    requests.delete(f"{cluster.emulator_url}/emulator/faults", timeout=10).raise_for_status()
    (cluster.layout.ledger / "pools" / "_every-pool.json").unlink()
    _release(cluster)
    wait_completed(cluster, array)


def test_an_administrators_comment_stays(cluster: Lab) -> None:
    let_sync_be_alive(cluster)
    fault(cluster, effect="latency", seconds=1, match={"method": "POST", "pool": POOL})
    fault(cluster, effect="no-capacity", match={"pool": POOL})
    job = submit(cluster, "-p", "xio", "--hold")
    assert cluster.run("scontrol", "update", f"JobId={job}", "AdminComment=mine").returncode == 0
    assert cluster.run("scontrol", "release", str(job)).returncode == 0
    wait_for(lambda: OTHER in jobs(cluster, job)[0]["NodeList"], 30)
    assert comment_of(cluster, job) == "mine"


def test_a_pool_that_makes_vms_again_gives_its_nodes_back(cluster: Lab) -> None:
    let_sync_be_alive(cluster)
    set_recovery(cluster, close_seconds=3)
    refusing = {"effect": "no-capacity", "match": {"pool": POOL}, "times": 1}
    fault(cluster, **refusing)
    first = submit(cluster, "-p", "xio", "-w", f"{NODE}1")
    wait_for(lambda: len([node for node in cluster.nodes().values() if "DRAIN" in node.flags]) == 9, 60)
    reasons = {node.reason for node in cluster.nodes().values() if "DRAIN" in node.flags}
    assert re.fullmatch(
        rf"xio:capacity pool {POOL} is closed until \d\d:\d\d: create the node: EMS 503: insufficient capacity",
        reasons.pop(),
    )
    wait_completed(cluster, first)  # its own node was given back by slurmctld, and is tried when the time is over
    assert cluster.events("opened", pool=POOL)
    assert [name for name, node in cluster.nodes().items() if "DRAIN" in node.flags] == []
