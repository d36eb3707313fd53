"""Jobs: those that hold nodes now, what became of some, and whether slurmctld answers at all."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from xio_slurm.errors import SlurmError
from xio_slurm.slurm.command import run
from xio_slurm.slurm.hostlist import expand

_HOLDING_NODES: Final = "R,S,CF,CG,ST,RS,SI,SO"
"""Job states (squeue's short names) in which nodes are allocated."""

_FORMAT: Final = "JobArrayID:|,JobID:|,UserName:|,State:|,BatchFlag:|,Admin_Comment:4|,NodeList:|"
"""Of a comment the beginning: it can have any length, and lines."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as squeue has it.

    ``id`` is what people write: ``12``, or ``12_3`` for one of an array, whose own ``number`` is another. ``batch``:
    it has a script, nobody waits at a terminal. ``comment``: the first four characters of its AdminComment.
    """

    id: str
    number: int
    user: str
    state: str
    batch: bool
    comment: str
    nodes: tuple[str, ...]


def jobs_on(nodes: Iterable[str], bin_dir: str, *, slurm_conf: str | None, timeout: float = 5.0) -> tuple[Job, ...]:
    """The jobs that hold any of the nodes. Raises SlurmError when slurmctld doesn't answer in time (seconds)."""
    wanted = frozenset(nodes)
    # All jobs are asked for: squeue refuses a node that slurmctld doesn't know.
    return tuple(
        job for job in jobs_with_nodes(bin_dir, slurm_conf=slurm_conf, timeout=timeout) if wanted & {*job.nodes}
    )


def jobs_with_nodes(bin_dir: str, *, slurm_conf: str | None, timeout: float = 5.0) -> tuple[Job, ...]:
    """Every job that holds nodes. Raises SlurmError like ``jobs_on``."""
    return _squeue(bin_dir, "--states", _HOLDING_NODES, slurm_conf=slurm_conf, timeout=timeout)


def jobs_now(numbers: Iterable[int], bin_dir: str, *, slurm_conf: str | None, timeout: float = 5.0) -> tuple[Job, ...]:
    """Those of the jobs that there still are. Raises SlurmError like ``jobs_on``."""
    wanted = sorted(set(numbers))
    # squeue fails of a single job that is gone, and not of one among others.
    listed = ",".join(str(number) for number in (wanted * 2 if len(wanted) == 1 else wanted))
    there = _squeue(bin_dir, "--states", "all", "--jobs", listed, slurm_conf=slurm_conf, timeout=timeout)
    return tuple(job for job in there if job.number in wanted)


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


def _squeue(bin_dir: str, *options: str, slurm_conf: str | None, timeout: float) -> tuple[Job, ...]:
    command = ("squeue", "--noheader", "--all", *options, "--Format", _FORMAT)
    return parse_jobs(run(bin_dir, *command, slurm_conf=slurm_conf, timeout=timeout))


def _job(line: str) -> Job:
    try:
        name, number, user, state, batch, comment, nodes, _ = line.split("|")
        return Job(
            name, int(number), user, state, batch.strip() == "1", comment.strip(), expand(nodes) if nodes else ()
        )
    except ValueError as error:
        raise SlurmError(f"squeue printed {line[:80]!r}, not a job's id, user, state and nodes") from error
