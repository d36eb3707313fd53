"""How much memory is left for a VM, and what a node weighs.

The formulas are upstream's (aws-eda-slurm-cluster), so that a cluster that moves over keeps its numbers.
"""

from typing import Final

from xio_slurm.config.model import CpuVendor

_MIB_PER_GIB: Final = 1024

_HYPERVISOR_GIB: Final = 4.5
"""What the hypervisor takes of any instance."""

_HYPERVISOR_GIB_PER_TIB: Final = 6.5
"""What it takes on top, for every TiB that the instance has."""

_WEIGHT_PER_CPU: Final[dict[CpuVendor, int]] = {"amd": 45, "intel": 78}
_WEIGHT_PER_GIB: Final = 3


def max_memory(instance_memory: int) -> int:
    """What is left for a VM (MiB) on an instance with that much memory (MiB). Not above 0: it is too small."""
    hypervisor_gib = _HYPERVISOR_GIB + _HYPERVISOR_GIB_PER_TIB / 1024 * (instance_memory / _MIB_PER_GIB)
    return instance_memory - int(hypervisor_gib * _MIB_PER_GIB)


def default_weight(vendor: CpuVendor, cpus: int, memory: int) -> int:
    """A node's Slurm weight: dearer nodes weigh more. ``memory`` (MiB) is the instance's, else the VM's."""
    return cpus * _WEIGHT_PER_CPU[vendor] + int(memory / _MIB_PER_GIB * _WEIGHT_PER_GIB)
