"""Which programs get the nodes that aren't ours: those that slurm.conf names, where the configuration names none.

slurm.conf has one ResumeProgram for all nodes. Ours takes the place of the one that was there (ParallelCluster's), and
hands its nodes on to it. What is found is read outside of our own include, so it is the same at every run. Where there
is no slurm.conf to read, those that the manifest has stay.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from msgspec import structs

from xio_slurm.deploy.former_scripts import is_their_program
from xio_slurm.deploy.launchers import is_launcher
from xio_slurm.deploy.programs import RESUME, RESUME_FAIL, SUSPEND
from xio_slurm.manifest import Delegates, Manifest
from xio_slurm.slurm.conf import Line, SlurmConf

PARALLELCLUSTER: Final = Path("/opt/parallelcluster/scripts/slurm")
"""Where ParallelCluster has its programs."""

_OURS: Final = frozenset({RESUME, SUSPEND, RESUME_FAIL})
_KEYS: Final = {
    "resume": ("ResumeProgram", "slurm_resume"),
    "suspend": ("SuspendProgram", "slurm_suspend"),
    "resume_fail": ("ResumeFailProgram", "slurm_suspend"),
}
"""The delegate's field → its key in slurm.conf, and ParallelCluster's program of that key."""


@dataclass(frozen=True, slots=True)
class Delegation:
    """The delegates, and what should be known of them, one line each: ``notes`` where the found ones come from."""

    delegates: Delegates
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def delegation(configured: Delegates, conf: SlurmConf, *, parallelcluster: Path = PARALLELCLUSTER) -> Delegation:
    """The delegates of a cluster. ``conf`` is its slurm.conf, read without our file."""
    delegates = configured
    notes: list[str] = []
    warnings: list[str] = []
    for field, (key, own_name) in _KEYS.items():
        theirs = [line for value, line in conf.values(key) if is_their_program(value)]
        warnings += [
            f"{line}: sets {key} to a program of the former scripts, which would make VMs a second time:"
            " it gets no nodes; take that line away"
            for line in theirs
        ]
        if getattr(configured, field) is not None:
            continue
        program, where = _found(conf, key) or (None, None)
        if program is None and theirs and os.path.exists(parallelcluster / own_name):  # noqa: PTH110  it never raises
            program, where = str(parallelcluster / own_name), None
        if program is not None:
            delegates = structs.replace(delegates, **{field: program})
            notes.append(f"{key} of the nodes that aren't ours: {program}{f' ({where})' if where else ''}")
    return Delegation(delegates, tuple(notes), tuple(warnings))


def kept(configured: Delegates, known: Manifest | None) -> Delegation:
    """The delegates where there is no slurm.conf to look at. ``known`` is the manifest so far."""
    delegates = configured
    notes: list[str] = []
    for field, (key, _) in _KEYS.items():
        program = getattr(known.delegates, field) if known is not None else None
        if getattr(configured, field) is None and program is not None:
            delegates = structs.replace(delegates, **{field: program})
            notes.append(f"{key} of the nodes that aren't ours: {program} (kept: there is no slurm.conf here)")
    return Delegation(delegates, tuple(notes), ())


def is_ours(program: str) -> bool:
    """Whether a program is one of this project's, or a launcher of one."""
    return PurePath(program).name in _OURS or is_launcher(Path(program))


def _found(conf: SlurmConf, key: str) -> tuple[str, Line] | None:
    """The last value that slurmctld would take if there were neither ours nor the former scripts'."""
    usable = [*_usable(conf, key)]
    return usable[-1] if usable else None


def _usable(conf: SlurmConf, key: str) -> Iterator[tuple[str, Line]]:
    for value, line in conf.values(key):
        if os.path.isabs(value) and not is_their_program(value) and not is_ours(value):  # noqa: PTH117  it is a text
            yield value, line
