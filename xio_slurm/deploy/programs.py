"""Which programs slurmctld is told to call, and whether it would call them."""

import os
import stat
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import xio_slurm
from xio_slurm.config.model import Plugin
from xio_slurm.deploy.as_slurm_user import cannot_run
from xio_slurm.deploy.launchers import manifest_of, runs

RESUME = "xio-resume"
SUSPEND = "xio-suspend"
RESUME_FAIL = "xio-resume-fail"

MODULES: Final[Mapping[str, str]] = {
    RESUME: "xio_slurm.power.resume",
    SUSPEND: "xio_slurm.power.suspend",
    RESUME_FAIL: "xio_slurm.power.resume_fail",
}
"""What an interpreter runs for each of them: ``python -I -m <module>``."""

INSTALL_FOLDERS: Final = (Path("/opt/slurm/etc/exostellar"), Path("/usr/local/sbin"))
"""Where 'xio install' puts them, on ParallelCluster and elsewhere."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Absolute paths, as slurm.conf names them."""

    resume: str
    suspend: str
    resume_fail: str

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Our programs in one folder."""
        return cls(str(folder / RESUME), str(folder / SUSPEND), str(folder / RESUME_FAIL))


def programs_of(plugin: Plugin) -> Programs:
    """The configured folder's, else those that 'xio install' of this installation has put, else its own."""
    if plugin.program_dir:
        return Programs.in_folder(Path(plugin.program_dir))
    launched = (folder for folder in INSTALL_FOLDERS if _launches_us(folder))
    return Programs.in_folder(next(launched, installed_bin()))


def installed_manifest() -> Path | None:
    """The manifest that 'xio install' of this installation has written into the programs, if it has put any."""
    return next((manifest_of(folder / RESUME) for folder in INSTALL_FOLDERS if _launches_us(folder)), None)


def _launches_us(folder: Path) -> bool:
    return runs(folder / RESUME, interpreter(), "-I", "-m", MODULES[RESUME])


def interpreter() -> Path:
    """The Python that runs this installation, by a name that lasts: its environment's, if it has one."""
    own = Path(sys.prefix) / "bin" / "python"
    return own if sys.prefix != sys.base_prefix and own.exists() else Path(sys.executable)


def installed_bin() -> Path:
    """Where this installation's programs are: a checkout's ``bin``, else the environment's."""
    tree = Path(xio_slurm.__file__).resolve().parent.parent
    if (tree / "pyproject.toml").is_file() and (tree / "bin").is_dir():
        return tree / "bin"
    return Path(sysconfig.get_path("scripts"))


def unusable(programs: Programs, slurm_user: str | None) -> tuple[str, ...]:
    """Why slurmctld of this machine would refuse a program, or SlurmUser couldn't run it, one line each.

    A single bad ResumeProgram or SuspendProgram turns the whole power saving off, and slurmctld only logs it
    (``_valid_prog`` in Slurm's power_save.c: absolute, executable, not writable for group or others).
    """
    paths = (programs.resume, programs.suspend, programs.resume_fail)
    faults = tuple(line for path in paths for line in _faults(path))
    if faults or slurm_user is None:
        return faults
    reason = cannot_run(Path(programs.resume), slurm_user)
    return (f"{programs.resume}: SlurmUser {slurm_user} can't run it: {reason}",) if reason else ()


def _faults(path: str) -> Iterator[str]:
    try:
        mode = Path(path).stat().st_mode
    except OSError as error:
        yield f"{path}: {error.strerror}: slurmctld turns power saving off without it"
        return
    if not stat.S_ISREG(mode) or not os.access(path, os.X_OK):
        yield f"{path}: isn't executable: chmod 755 it, or slurmctld turns power saving off"
    elif mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield f"{path}: is writable for others: chmod 755 it, or slurmctld turns power saving off"
