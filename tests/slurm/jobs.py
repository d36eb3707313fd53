"""Batch jobs on a lab: submitted, looked at, waited for."""

import re

from tests.slurm.waiting import wait_for
from xio_slurm.lab import Lab


def submit(lab: Lab, *arguments: str, command: str = "srun hostname") -> int:
    """Submit a batch job; its id."""
    ended = lab.run("sbatch", "--parsable", "-o", "/dev/null", *arguments, "--wrap", command)
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout.split(";")[0])


def jobs(lab: Lab, job: int) -> list[dict[str, str]]:
    """What Slurm says of a job; of each task of an array."""
    text = lab.run("scontrol", "show", "job", "-o", str(job)).stdout
    return [dict(re.findall(r"(?:^|\s)(\w+)=(\S*)", line)) for line in text.splitlines() if line.strip()]


def wait_completed(lab: Lab, job: int, seconds: float = 120.0) -> list[dict[str, str]]:
    """Wait until a job has ended, and see that it has ended well."""
    ended = wait_for(lambda: jobs(lab, job) if _ended(lab, job) else [], seconds)
    assert {task["JobState"] for task in ended} == {"COMPLETED"}
    return ended


def _ended(lab: Lab, job: int) -> bool:
    return lab.run("squeue", "-h", "-j", str(job)).stdout.strip() == ""


def nodes_of(ended: list[dict[str, str]], lab: Lab) -> set[str]:
    """The nodes that a job ran on."""
    lists = ",".join(task["NodeList"] for task in ended)
    return set(lab.run("scontrol", "show", "hostnames", lists).stdout.split())
