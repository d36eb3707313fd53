"""The Workload Optimizer on a real Slurm: a job's VM is asked for, and deleted, over mutual TLS."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from xio_slurm.lab import Lab
from xio_slurm.shipped import shipped


@pytest.fixture
def xwo(tmp_path: Path) -> Path:
    """The shipped sample, as the Workload Optimizer's users have it."""
    sample = yaml.safe_load(shipped("xio.yaml").read_text())
    sample["slurm"]["Xwo"] = sample["slurm"].pop("Xio")
    file = tmp_path / "xwo.yaml"
    file.write_text(yaml.safe_dump(sample))
    return file


def test_a_job_runs_on_a_vm_that_is_asked_for_and_deleted_over_tls(make_lab: Callable[..., Lab], xwo: Path) -> None:
    lab = make_lab(config=xwo)
    assert lab.emulator_url.startswith("https://")
    key = (lab.layout.certificates / "ExostellarClient.pem").stat()
    assert (stat.S_IMODE(key.st_mode), key.st_uid) == (0o600, lab.layout.ledger.stat().st_uid)
    partition = next(part for part in lab.run("sinfo", "-h", "-o", "%R").stdout.split() if part.startswith("x"))
    job = lab.run("srun", "-p", partition, "printenv", "SLURMD_NODENAME")
    assert job.returncode == 0, job.stderr
    node = job.stdout.strip()
    assert node.startswith("xwo-")
    (vm,) = lab.emulator("/emulator/vms")["vms"]
    assert (vm["node"], vm["request"]["VM"]["EnableWO"]) == (node, True)
    lab.wait_until_idle(240)
    assert [event["event"] for event in lab.history()] == ["vm-asked", "vm-up", "delete-asked", "vm-gone"]
