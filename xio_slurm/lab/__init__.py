"""A throw-away Slurm cluster on this machine, whose nodes are the VMs of an EMS emulator."""

from xio_slurm.lab.lab import Lab, Status
from xio_slurm.lab.options import LabOptions, Timing

__all__ = ["Lab", "LabOptions", "Status", "Timing"]
