"""End to end on a real Slurm: from srun to the job's start on a node that is powered down.

Beside it the floor that Slurm sets: the same cluster, whose ResumeProgram tells a process of root's, which waits for
it, to start slurmd. Nothing can be faster but a slurmd that runs already.
"""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from bench.cluster import checked, cluster
from bench.figures import JobStart
from bench.timing import BenchError, Say
from xio_slurm.lab import Lab
from xio_slurm.lab.processes import MARK

_TIMES: Final = 20
_POOLS: Final = {"p": _TIMES}
_CALLS_ARE_LOGGED: Final = "SlurmctldDebug=verbose\n"
_STARTER: Final = 'while read -r node; do slurmd -D -b -N "$node" & done <&3'


def measure(quick: bool, say: Say) -> Iterator[JobStart]:
    """A job on each of twenty nodes, in turn with and without us. ``quick``: on three."""
    with tempfile.TemporaryDirectory(prefix="xio-b-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        program = _floor_program(folder)
        others = f"{_CALLS_ARE_LOGGED}ResumeProgram={program}\n"
        with (
            cluster(_POOLS, slurm_conf=_CALLS_ARE_LOGGED) as ours,
            cluster(_POOLS, slurm_conf=others) as floor,
            _starter(floor, folder),
        ):
            for number in range(1, (3 if quick else _TIMES) + 1):
                for lab in (ours, floor):
                    row = _start(lab, f"xspot-vm-p-{number}", is_floor=lab is floor)
                    say(f"{row.program} {number}: {row.since_srun:.2f} s, since the call {row.since_call:.2f} s")
                    yield row


def _start(lab: Lab, node: str, *, is_floor: bool) -> JobStart:
    began = time.time()
    started = float(checked(lab, "srun", "-p", "xio", "-w", node, "date", "+%s.%N"))
    called = _called(lab, node)
    asked = None
    if not is_floor:
        posts = (each["time"] for each in lab.requests() if (each["method"], each["node"]) == ("POST", node))
        asked = next(posts) - called
    return JobStart("floor" if is_floor else "xio", started - began, started - called, asked)


def _called(lab: Lab, node: str) -> float:
    """When slurmctld started the ResumeProgram for the node, by its log."""
    found = re.search(
        rf"^\[(\S+)\].* waking nodes {re.escape(node)}$", lab.layout.slurmctld_log.read_text(), re.MULTILINE
    )
    if found is None:
        raise BenchError(f"slurmctld's log tells no ResumeProgram for {node}")
    return datetime.fromisoformat(found[1]).timestamp()


def _floor_program(folder: Path) -> Path:
    fifo = folder / "fifo"
    os.mkfifo(fifo)
    fifo.chmod(0o622)
    program = folder / "resume"
    program.write_text(f'#!/bin/sh\necho "$1" > {fifo}\n')
    program.chmod(0o755)
    return program


@contextmanager
def _starter(lab: Lab, folder: Path) -> Iterator[None]:
    """What starts slurmd as root; it and its slurmds end with the lab, whose mark they bear."""
    environment = {**lab.environment, MARK: str(lab.layout.folder)}
    script = f"exec 3<>{folder}/fifo; {_STARTER}"
    nothing = subprocess.DEVNULL
    command = ("/bin/sh", "-c", script)
    with subprocess.Popen(command, env=environment, stdin=nothing, stdout=nothing, stderr=nothing) as shell:
        try:
            yield
        finally:
            shell.terminate()
