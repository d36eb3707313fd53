"""Which Slurm a lab has: some things are done differently by a newer one."""

from typing import Final

from xio_slurm.lab import Lab
from xio_slurm.slurm.version import Version, parse

REGISTRATION_SETS_ADDRESS: Final = Version(23, 11)
"""From here on a node's address is the one that its slurmd was heard from; a lab's slurmds all speak from 127.0.0.1."""


def slurm_of(lab: Lab) -> Version:
    """The lab's Slurm."""
    version = parse(f"slurm {lab.record.slurm_version}")
    assert version is not None
    return version
