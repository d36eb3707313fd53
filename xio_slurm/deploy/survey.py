"""What the cluster is like that would load new node definitions: asked of Slurm, where there is one."""

from collections.abc import Sequence
from dataclasses import dataclass

from xio_slurm.errors import SlurmError
from xio_slurm.slurm.conf import SlurmConf
from xio_slurm.slurm.jobs import Job, is_running, jobs_on
from xio_slurm.slurm.version import Version, installed


@dataclass(frozen=True, slots=True)
class Survey:
    """``jobs`` are those on nodes that would go; None when it wasn't or couldn't be looked up: ``notes`` say why."""

    version: Version | None
    running: bool
    jobs: tuple[Job, ...] | None
    notes: tuple[str, ...]


def survey(conf: SlurmConf | None, bin_dir: str, removed_nodes: Sequence[str]) -> Survey:
    """Ask Slurm; every question has at most 5 seconds, and no answer is an answer too."""
    notes = []
    path = conf.path if conf is not None else None
    try:
        version = installed(bin_dir, slurm_conf=path)
    except SlurmError:
        version = None  # the definitions can be made where there is no Slurm
    running = conf is not None and is_running(bin_dir, slurm_conf=path)
    jobs: tuple[Job, ...] | None = None if removed_nodes else ()
    if removed_nodes and running:
        try:
            jobs = jobs_on(removed_nodes, bin_dir, slurm_conf=path)
        except SlurmError as error:
            notes.append(f"which running jobs are on nodes that go wasn't looked up: {error}")
    elif removed_nodes:
        why = "no slurmctld answers" if conf is not None else "there is no slurm.conf here"
        notes.append(f"which running jobs are on nodes that go wasn't looked up: {why}")
    return Survey(version, running, jobs, tuple(notes))
