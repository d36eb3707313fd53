"""A pool is closed and opened by hand on a real Slurm: jobs go elsewhere meanwhile, and come back."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.slurm.jobs import jobs, nodes_of, submit, wait_completed
from tests.slurm.waiting import wait_for
from xio_slurm.lab import Lab
from xio_slurm.ledger import Ledger

XIO: Final = Path(__file__).resolve().parents[2] / "bin" / "xio"
POOL: Final = "amd-8-gb-1-cores"
NODES: Final = {f"xspot-vm-{POOL}-{number}" for number in range(1, 11)}
REASON: Final = f"xio:administrator pool {POOL} is closed until it is opened by hand: the image is made anew"


@pytest.fixture
def cluster(lab: Lab) -> Iterator[Lab]:
    """The running lab, whose pools are open after the test, with nothing left."""
    yield lab
    xio_pool(lab, "open", "--all")
    lab.wait_until_idle(240)
    assert list(Ledger(str(lab.layout.ledger)).entries()) == []


def xio_pool(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``xio pool`` of the lab."""
    return lab.run(XIO, "pool", *arguments, "--manifest", lab.layout.manifest)


def test_a_closed_pools_jobs_run_in_another_one_until_it_is_open(cluster: Lab) -> None:
    closed = xio_pool(cluster, "close", POOL, "--reason", "the image is made anew")
    assert (closed.returncode, closed.stdout) == (0, f"{POOL}: closed, 10 nodes drained\n"), closed.stderr
    assert {name for name, node in cluster.nodes().items() if node.reason == REASON} == NODES

    elsewhere = submit(cluster, "-p", "xio")
    waiting = submit(cluster, "-p", f"xio-{POOL}")
    assert not nodes_of(wait_completed(cluster, elsewhere), cluster) & NODES
    assert jobs(cluster, waiting)[0]["JobState"] == "PENDING"

    opened = xio_pool(cluster, "open", POOL)
    assert (opened.returncode, opened.stdout, opened.stderr) == (0, f"{POOL}: open, 10 nodes released\n", "")
    assert nodes_of(wait_completed(cluster, waiting), cluster) <= NODES


def test_closed_while_a_job_runs_lets_it_end(cluster: Lab) -> None:
    job = submit(cluster, "-p", f"xio-{POOL}", command="sleep 8")
    wait_for(lambda: jobs(cluster, job)[0]["JobState"] == "RUNNING", 90)
    closed = xio_pool(cluster, "close", POOL, "--reason", "the image is made anew")
    assert closed.stdout == f"{POOL}: closed, 9 nodes drained\n"
    assert "call this again when nodes that are up now are powered down" in closed.stderr
    assert len(wait_completed(cluster, job)) == 1
    wait_for(lambda: all(node.powered_down for node in cluster.nodes().values()), 60)
    again = xio_pool(cluster, "close", POOL, "--reason", "the image is made anew")
    assert again.stdout == f"{POOL}: closed, 1 node drained\n"


def test_it_is_closed_and_listed_while_slurmctld_is_down(cluster: Lab) -> None:
    cluster.stop_slurmctld()
    closed = xio_pool(cluster, "close", POOL, "--reason", "the image is made anew")
    assert (closed.returncode, closed.stdout) == (0, f"{POOL}: closed\n")
    assert closed.stderr.startswith("xio: Slurm isn't told: ")
    listed = xio_pool(cluster, "list", POOL)
    assert listed.returncode == 1
    assert listed.stdout.splitlines()[1].split() == [POOL, "closed", "administrator", "opened"]
    cluster.start_slurmctld()
    assert xio_pool(cluster, "close", POOL, "--reason", "x").stdout == f"{POOL}: closed, 10 nodes drained\n"
