"""Finds and ends the processes of a lab: exactly those, also when nobody wrote down that they were started.

The process table is the only truth. What we start carries the lab's folder in its environment; some of Slurm's
daemons write over theirs, but hold a log in the folder open; and a job's processes have the lab's SLURM_CONF.
A psutil.Process knows its start time, so a number that another process got meanwhile is never signalled.
"""

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from xio_slurm.deadline import Deadline
from xio_slurm.errors import LabError
from xio_slurm.lab.layout import Layout

MARK: Final = "XIO_LAB"
"""The variable of the environment that says whose process it is."""

_CLIENTS: Final = frozenset({"srun", "salloc", "sbatch", "sattach", "squeue", "sinfo", "scontrol", "scancel"})
_SOURCES: Final = frozenset({"slurmctld", "slurmscriptd"})
_SERVING: Final = ("emulator", "pc-emulator", "sync")
_SOURCE_SECONDS: Final = 5.0
"""From asking to killing: slurmctld saves its state, the emulator ends its VMs."""
_OTHER_SECONDS: Final = 0.5
"""All that is left then is about to be removed."""
_KILL_SECONDS: Final = 5.0
_ROUNDS: Final = 5


def of_lab(folder: Path) -> list[psutil.Process]:
    """Every process of the lab in ``folder``, jobs and waiting clients included; not the caller or what called it."""
    layout = Layout(folder)
    me = psutil.Process()
    mine = {me.pid, *(parent.pid for parent in me.parents())}
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        if process.pid in mine or process.pid in found or not _belongs(process, layout):
            continue
        found[process.pid] = process
        found |= {child.pid: child for child in _descendants(process) if child.pid not in mine}
    return list(found.values())


def end(folder: Path) -> int:
    """End every process of the lab: asked first, killed after seconds. The number that were ended.

    Raises LabError when one is still there after all rounds.
    """
    ended: set[int] = set()
    for _round in range(_ROUNDS):
        processes = of_lab(folder)
        if not processes:
            return len(ended)
        ended |= {process.pid for process in processes}
        # What starts others goes first, or there is always one more.
        _end([process for process in processes if _is_source(process)], _SOURCE_SECONDS)
        _end(processes, _OTHER_SECONDS)
    left = of_lab(folder)
    if left:
        names = ", ".join(f"{process.pid} ({_name(process)})" for process in left[:5])
        raise LabError(f"{folder}: {len(left)} processes of this lab don't end: {names}")
    return len(ended)


def named(daemon: str, folder: Path) -> list[psutil.Process]:
    """The lab's ``munged``, ``slurmctld``, ``emulator`` or ``sync`` processes; empty if it isn't there."""
    return [process for process in of_lab(folder) if _is_daemon(process, daemon)]


def kill_one(process: psutil.Process) -> None:
    """End one process as a crash does, and wait for it. What it started is left."""
    with suppress(psutil.NoSuchProcess):
        process.kill()
    _left([process], _KILL_SECONDS)


def end_one(process: psutil.Process) -> None:
    """End one process and everything below it."""
    _end([process, *_descendants(process)], _SOURCE_SECONDS)


def _end(processes: Iterable[psutil.Process], seconds: float) -> None:
    alive = [process for process in processes if is_alive(process)]
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in _left(alive, seconds):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _left(alive, _KILL_SECONDS)


def is_alive(process: psutil.Process) -> bool:
    """Whether this very process still runs. A zombie has ended: only its parent can take it away."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _left(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still run after waiting so long for all of them to end."""
    deadline = Deadline.after(seconds)
    while (left := [process for process in processes if is_alive(process)]) and not deadline.passed():
        time.sleep(0.02)
    return left


def _belongs(process: psutil.Process, layout: Layout) -> bool:
    # A process can end, or be another user's, at any moment of this.
    with suppress(psutil.Error):
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if process.name().startswith("slurm"):
            return _is_marked(process, layout) or _has_open_file(process, layout.folder)
        return _is_marked(process, layout)
    return False


def _is_marked(process: psutil.Process, layout: Layout) -> bool:
    with suppress(psutil.AccessDenied):
        environment = process.environ()
        if environment.get(MARK) == str(layout.folder):
            return True
        if environment.get("SLURM_CONF") != str(layout.slurm_conf):
            return False
        # Not a shell in which somebody works with the lab: a job's process, a client that waits, one of our programs.
        return (
            "SLURMD_NODENAME" in environment
            or process.name() in _CLIENTS
            or any(argument.startswith(f"{layout.folder}/") for argument in process.cmdline())
        )
    return False


def _has_open_file(process: psutil.Process, folder: Path) -> bool:
    return any(Path(file.path).is_relative_to(folder) for file in process.open_files())


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return process.children(recursive=True)
    return []


def _is_daemon(process: psutil.Process, daemon: str) -> bool:
    with suppress(psutil.Error):
        return process.name() == daemon or _serves(process, daemon)
    return False


def _serves(process: psutil.Process, daemon: str) -> bool:
    # A Python's name says nothing: an emulator's pid file does, and the command that it is.
    command = process.cmdline()
    if daemon == "sync":
        return command[3:5] == ["xio_slurm.commands", "sync"]
    return any(argument.endswith(f"/run/{daemon}.port") for argument in command)


def _is_source(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.name() in _SOURCES or any(_serves(process, name) for name in _SERVING)
    return False


def _name(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return process.name()
    return "gone"
