"""What the running slurmctld was told: slurm.conf may have been changed since."""

import re
from typing import Final

from xio_slurm.errors import SlurmError
from xio_slurm.slurm.command import run
from xio_slurm.slurm.jobs import is_running

_PING_SECONDS: Final = 2.0
_SHOW_SECONDS: Final = 3.0
_RESUME_PROGRAM: Final = re.compile(r"^ResumeProgram\s*= (.*?)\s*$", re.MULTILINE)
_NONE: Final = "(null)"


def resume_program(bin_dir: str, *, slurm_conf: str | None) -> str | None:
    """The ResumeProgram that slurmctld calls, empty for none; None where it tells nothing. Takes 5 seconds at most."""
    if not is_running(bin_dir, slurm_conf=slurm_conf, timeout=_PING_SECONDS):
        return None  # scontrol would try for 9 seconds
    try:
        told = run(bin_dir, "scontrol", "show", "config", slurm_conf=slurm_conf, timeout=_SHOW_SECONDS)
    except SlurmError:
        return None
    found = _RESUME_PROGRAM.search(told)
    return None if found is None else found[1].removeprefix(_NONE)
