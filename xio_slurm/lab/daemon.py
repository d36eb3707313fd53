"""Starts a lab's daemons, so that they outlive their caller, and tells why one didn't live."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from xio_slurm.deadline import Deadline
from xio_slurm.errors import LabError
from xio_slurm.lab.processes import MARK, is_alive

_DECISIVE: Final = re.compile(r"fatal|error|denied|refused|cannot|can't", re.IGNORECASE)
_PREFIX: Final = re.compile(r"^(?:\[[^]]*\] *)?(?:\w+: (?=\w+: )|xio: )?")
"""When it was, and a daemon's own name, before the message; whoever tells it has named the daemon already."""
_START_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon that was started. ``output`` is the file of what it prints."""

    name: str
    process: psutil.Process
    output: Path

    def wait(self, ready: Callable[[], bool], seconds: float = _START_SECONDS) -> None:
        """Wait until it is ready. Raises LabError with its own decisive line when it ends, or isn't in time."""
        deadline = Deadline.after(seconds)
        while not ready():
            if not is_alive(self.process):
                raise LabError(f"{self.name} ended at once: {decisive_line(self.output)}")
            if deadline.passed():
                raise LabError(f"{self.name} was not ready within {seconds:g} s: {decisive_line(self.output)}")
            time.sleep(0.02)


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    folder: Path,
    output: Path,
    environment: Mapping[str, str],
    inherited: Sequence[int] = (),
) -> Daemon:
    """Start a daemon of the lab in ``folder``, in a session of its own, as no child of ours.

    ``inherited`` are file descriptors that it keeps open. Raises LabError if even the shell can't be run.
    """
    # The shell in between ends at once, so whoever stops the daemon later need not be its parent to see it gone.
    try:
        with output.open("ab") as log:
            shell = subprocess.run(
                ("/bin/sh", "-c", '"$@" </dev/null >&2 & echo $!', "sh", *command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**environment, MARK: str(folder)},
                cwd=folder,
                start_new_session=True,
                pass_fds=inherited,
                text=True,
                check=True,
                timeout=_START_SECONDS,
            )
        return Daemon(name, psutil.Process(int(shell.stdout)), output)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise LabError(f"{name} can't be started: {error}") from error
    except psutil.NoSuchProcess as error:
        raise LabError(f"{name} ended at once: {decisive_line(output)}") from error


def decisive_line(output: Path) -> str:
    """The line of a log that most probably says why."""
    try:
        with output.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 100_000))
            lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    decisive = [line for line in lines if "fatal" in line.lower()] or [line for line in lines if _DECISIVE.search(line)]
    line = (decisive or lines or ["it said nothing"])[-1]
    return _PREFIX.sub("", line)
