"""Runs one of Slurm's commands: bounded in time, without a shell, in a language that we can parse.

slurmctld calls our programs with hardly an environment, and some of its versions with file descriptors 0 to 2
closed. So nothing here depends on PATH or on an open stdin.
"""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from xio_slurm.errors import SlurmError, SlurmTimeout

_CHANGES_THE_OUTPUT: Final = ("SQUEUE_", "SCONTROL_", "SLURM_CLUSTERS", "SLURM_TIME_FORMAT", "SLURM_BITSTR_LEN")
"""Beginnings of the variables with which a person's shell sets other formats, filters or clusters (man pages)."""

_SHOWN: Final = 100
"""Characters of a command that a message shows: a host list can have thousands."""


def run(bin_dir: str, program: str, *args: str, slurm_conf: str | None, timeout: float) -> str:
    """What the program prints on stdout.

    ``bin_dir`` is the folder of Slurm's commands; empty means to search PATH. ``slurm_conf`` is handed on as
    ``SLURM_CONF``; None leaves the environment's. ``timeout`` is in seconds: after it the command is killed, with
    whatever it started. Raises SlurmError with one line: which command, and why it failed.
    """
    command = (os.path.join(bin_dir, program), *args)  # noqa: PTH118  Path would turn an empty folder into "."
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(os.environ, slurm_conf),
            text=True,
            encoding="utf-8",
            errors="replace",
            process_group=0,
        )
    except FileNotFoundError as error:
        where = bin_dir or "PATH"
        raise SlurmError(f"{program} isn't in {where}: install Slurm's commands or set SlurmBinDir") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
        raise SlurmError(f"{_shown(command)}: can't be run: {error}") from error
    with process:
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise SlurmTimeout(f"{_shown(command)}: no answer within {timeout:g} s") from error
            raise
    if process.returncode != 0:
        raise SlurmError(f"{_shown(command)}: {_ending(process.returncode)}{_first_line(stderr or stdout)}")
    return stdout


def daemon(bin_dir: str, program: str) -> str | None:
    """The path of slurmctld or slurmd: beside Slurm's commands, in the ``sbin`` next to them, or the system's."""
    beside = Path(bin_dir)
    folders = (beside, beside.parent / "sbin", Path("/usr/sbin"), Path("/usr/local/sbin")) if bin_dir else ()
    found = (str(folder / program) for folder in folders if os.access(folder / program, os.X_OK))
    return next(found, None) or shutil.which(program)


def environment(ours: Mapping[str, str], slurm_conf: str | None) -> dict[str, str]:
    """That of a command of Slurm's: a language that we can parse, and nobody's own formats or clusters."""
    kept = {name: value for name, value in ours.items() if not name.startswith(_CHANGES_THE_OUTPUT)}
    kept["LC_ALL"] = "C"
    if slurm_conf is not None:
        kept["SLURM_CONF"] = slurm_conf
    return kept


def _shown(command: tuple[str, ...]) -> str:
    text = " ".join((os.path.basename(command[0]), shlex.join(command[1:]))).replace("\n", " ").strip()  # noqa: PTH119
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _ending(returncode: int) -> str:
    if returncode > 0:
        return f"exit code {returncode}"
    try:
        return f"ended by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"ended by signal {-returncode}"


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return f": {line}" if line else ""
