"""The jobs that hold nodes now, and whether slurmctld answers at all."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from xio_slurm.errors import SlurmError
from xio_slurm.slurm.command import run
from xio_slurm.slurm.hostlist import expand

_HOLDING_NODES: Final = "R,S,CF,CG,ST,RS,SI,SO"
"""Job states (squeue's short names) in which nodes are allocated."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job that holds nodes. ``id`` is as squeue prints it: ``12``, or ``12_3`` for one of an array."""

    id: str
    user: str
    state: str
    nodes: tuple[str, ...]


def jobs_on(nodes: Iterable[str], bin_dir: str, *, slurm_conf: str | None, timeout: float = 5.0) -> tuple[Job, ...]:
    """The jobs that hold any of the nodes. Raises SlurmError when slurmctld doesn't answer in time (seconds)."""
    # All jobs are asked for: squeue refuses a node that slurmctld doesn't know.
    command = ("squeue", "--noheader", "--all", "--states", _HOLDING_NODES, "--format", "%i|%u|%T|%N")
    wanted = frozenset(nodes)
    return tuple(
        job
        for job in parse_jobs(run(bin_dir, *command, slurm_conf=slurm_conf, timeout=timeout))
        if wanted & {*job.nodes}
    )


def parse_jobs(text: str) -> tuple[Job, ...]:
    """Read the lines of squeue. Raises SlurmError for one that isn't of our format."""
    return tuple(_job(line) for line in text.splitlines() if line.strip())


def is_running(bin_dir: str, *, slurm_conf: str | None, timeout: float = 5.0) -> bool:
    """Whether a slurmctld of this slurm.conf answers."""
    try:
        answer = run(bin_dir, "scontrol", "ping", slurm_conf=slurm_conf, timeout=timeout)
    except SlurmError:
        return False  # since 20.11 the exit code tells of a controller that is down
    return " UP" in answer


def _job(line: str) -> Job:
    try:
        number, user, state, nodes = line.strip().split("|")
    except ValueError as error:
        raise SlurmError(f"squeue printed {line[:80]!r}, not a job's id, user, state and nodes") from error
    return Job(number, user, state, expand(nodes) if nodes else ())
