"""What the running slurmctld was told: slurm.conf may have been changed since."""

import re
from collections.abc import Mapping
from typing import Final

from xio_slurm.errors import SlurmError
from xio_slurm.slurm.command import run
from xio_slurm.slurm.jobs import is_running

_PING_SECONDS: Final = 2.0
_SHOW_SECONDS: Final = 3.0
_SETTING: Final = re.compile(r"^(\w+)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_NONE: Final = "(null)"


def resume_program(bin_dir: str, *, slurm_conf: str | None) -> str | None:
    """The ResumeProgram that slurmctld calls, empty for none; None where it tells nothing. Takes 5 seconds at most."""
    if not is_running(bin_dir, slurm_conf=slurm_conf, timeout=_PING_SECONDS):
        return None  # scontrol would try for 9 seconds
    try:
        return settings(bin_dir, slurm_conf=slurm_conf, timeout=_SHOW_SECONDS).get("ResumeProgram")
    except SlurmError:
        return None


def settings(bin_dir: str, *, slurm_conf: str | None, timeout: float) -> Mapping[str, str]:
    """What slurmctld runs with, as ``scontrol show config`` tells it; empty values for what isn't set.

    Raises SlurmError when slurmctld doesn't answer in time (seconds).
    """
    told = run(bin_dir, "scontrol", "show", "config", slurm_conf=slurm_conf, timeout=timeout)
    return {key: value.removeprefix(_NONE) for key, value in _SETTING.findall(told)}
