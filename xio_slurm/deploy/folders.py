"""Whether the folders that the programs write are there, and SlurmUser's."""

import pwd
from collections.abc import Iterator
from pathlib import Path

from xio_slurm.config.model import Plugin


def folder_warnings(plugin: Plugin, slurm_user: str) -> tuple[str, ...]:
    """A line for StateDir and LogDir each that SlurmUser could not write, with the command that mends it."""
    return tuple(_warnings(Path(plugin.state_dir), "700", slurm_user)) + tuple(
        _warnings(Path(plugin.log_dir), "750", slurm_user)
    )


def _warnings(folder: Path, mode: str, slurm_user: str) -> Iterator[str]:
    try:
        owner = folder.stat().st_uid
    except FileNotFoundError:
        yield f"{folder}: isn't there: install -d -o {slurm_user} -m {mode} {folder}"
        return
    except OSError as error:
        yield f"{folder}: {error.strerror}: SlurmUser {slurm_user} must be able to write it"
        return
    try:
        wanted = pwd.getpwnam(slurm_user).pw_uid
    except KeyError:
        return  # of another machine's users
    if owner != wanted:
        yield f"{folder}: isn't SlurmUser's: chown -R {slurm_user} {folder}"
