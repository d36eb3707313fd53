"""What happens to jobs, nodes and slurmctld while VMs boot: nothing is lost, and nothing is left."""

from collections.abc import Iterator

import pytest

from tests.slurm.conftest import QUICK, short_path
from tests.slurm.jobs import submit, wait_completed
from tests.slurm.waiting import wait_for
from xio_slurm.lab import Lab, LabOptions

SMALL = "xio-amd-8-gb-1-cores"


@pytest.fixture(scope="module")
def slow_lab() -> Iterator[Lab]:
    """A lab whose VMs boot in eight seconds."""
    with Lab.up(LabOptions(short_path(), timing=QUICK, boot_seconds=8)) as running:
        yield running


@pytest.fixture
def slow_cluster(slow_lab: Lab) -> Iterator[Lab]:
    """The slow lab, and after the test the proof that nothing of it is left."""
    yield slow_lab
    slow_lab.wait_until_idle(240)


def test_a_job_that_is_cancelled_while_its_nodes_boot(slow_cluster: Lab) -> None:
    job = submit(slow_cluster, "-p", SMALL, "-N", "2")
    wait_for(lambda: len(slow_cluster.vms()) == 2, 60)
    assert slow_cluster.run("scancel", str(job)).returncode == 0
    wait_for(lambda: slow_cluster.vms() == (), 120)


@pytest.mark.parametrize("how", ["restarted", "killed"])
def test_slurmctld_may_be_away_while_nodes_boot(slow_cluster: Lab, how: str) -> None:
    job = submit(slow_cluster, "-p", SMALL, "-N", "2")
    wait_for(lambda: len(slow_cluster.vms()) == 2, 60)
    if how == "killed":
        slow_cluster.kill_slurmctld()
    else:
        slow_cluster.stop_slurmctld()
    slow_cluster.start_slurmctld()
    wait_completed(slow_cluster, job, 180)
