"""Which Slurm is installed: what a change of the node definitions needs depends on it."""

import re
from typing import Final, NamedTuple

from xio_slurm.slurm.command import daemon, run

_VERSION = re.compile(r"\bslurm\S*\s+(\d+)\.(\d+)(?:\.(\d+))?", re.IGNORECASE)


class Version(NamedTuple):
    """A release of Slurm: ``Version(22, 5, 8)`` is 22.05.8. Compares as a tuple."""

    year: int
    month: int
    micro: int = 0

    def __str__(self) -> str:
        return f"{self.year:02}.{self.month:02}.{self.micro}"


PARTITION_TIMEOUTS: Final = Version(21, 8)
"""First release that takes SuspendTime and its timeouts at a partition."""

SILENCE_LASTS: Final = Version(23, 2)
"""First release that can leave a powered-down node NOT_RESPONDING, so that no job ever gets it."""

FINDS_ADDRESSES: Final = Version(23, 11)
"""First release whose nodes bring their address when they register."""

RECONFIGURE_KEEPS_RUNNING: Final = Version(23, 11)
"""First release whose slurmctld survives a reconfigure that fails."""

RECONFIGURE_NODES: Final = Version(24, 11)
"""First release that adds and removes nodes with a reconfigure."""


def parse(text: str) -> Version | None:
    """What ``--version`` prints (``slurm-wlm 22.05.8``), or None where that isn't in it."""
    match = _VERSION.search(text)
    return Version(int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def installed(bin_dir: str, *, slurm_conf: str | None, timeout: float = 5.0) -> Version | None:
    """The version of the Slurm in ``bin_dir``, None where it can't be read. Raises SlurmError where there is none.

    slurmctld is asked first: the clients look for a slurm.conf, in the DNS too, before they print their version.
    """
    path = daemon(bin_dir, "slurmctld")
    if path is not None:
        folder, _, program = path.rpartition("/")
        return parse(run(folder, program, "-V", slurm_conf=slurm_conf, timeout=timeout))
    return parse(run(bin_dir, "scontrol", "--version", slurm_conf=slurm_conf, timeout=timeout))
