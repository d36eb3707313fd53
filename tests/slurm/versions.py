"""Which Slurm a lab has: some things are done differently by a newer one."""

from xio_slurm.lab import Lab
from xio_slurm.slurm.version import Version, parse


def slurm_of(lab: Lab) -> Version:
    """The lab's Slurm."""
    version = parse(f"slurm {lab.record.slurm_version}")
    assert version is not None
    return version
