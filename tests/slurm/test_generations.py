"""Configurations as users have them, each running a job."""

from collections.abc import Callable
from pathlib import Path

import pytest

from xio_slurm.lab import Lab

DATA = Path(__file__).resolve().parents[1] / "data" / "config"


def test_the_sample_of_the_users_document_runs_the_main_job(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(config=DATA / "users-sample.yaml")
    job = lab.run("srun", "-p", "xio-amd-8-gb-1-cores", "hostname")
    assert (job.returncode, job.stdout) == (0, "xspot-vm-amd-8-gb-1-cores-1\n"), job.stderr
    lab.wait_until_idle(240)


@pytest.mark.parametrize("file", ["oldest.yaml", "by-name.yaml", "newest.yaml"])
def test_a_file_of_every_generation_runs_a_job(make_lab: Callable[..., Lab], file: str) -> None:
    lab = make_lab(config=DATA / file)
    partition = lab.run("sinfo", "-h", "-o", "%R").stdout.split()[0]
    job = lab.run("srun", "-p", partition, "hostname")
    assert job.returncode == 0, job.stderr
    assert job.stdout.strip() in lab.nodes()
    lab.wait_until_idle(240)
