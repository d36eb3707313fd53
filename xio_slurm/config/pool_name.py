"""What a pool's name promises (``amd-8-gb-1-cores``), held against what the pool has."""

import re
from typing import Final

from xio_slurm.config.sizing import max_memory

_MEMORY: Final = re.compile(r"(?<![a-z0-9])(\d{1,5})(?:g|-?gb|-?gib)(?![a-z0-9])", re.ASCII | re.IGNORECASE)
_CPUS: Final = re.compile(r"(?<![a-z0-9])(\d{1,5})(?:c|-?cores?|-?v?cpus?)(?![a-z0-9])", re.ASCII | re.IGNORECASE)
_MIB_PER_GIB: Final = 1024
_SLACK: Final = 0.02


def contradicts_cpus(name: str, cpus: int, *, hyperthreading: bool) -> int | None:
    """The number of cores that the name speaks of, if it isn't the pool's. A core is two CPUs with hyperthreading."""
    match = _CPUS.search(name)
    if match is None:
        return None
    promised = int(match[1])
    right = (promised, 2 * promised) if hyperthreading else (promised,)
    return None if cpus in right else promised


def contradicts_memory(name: str, instance_memory: int | None, memory: int) -> int | None:
    """The GB that the name speaks of, if neither the instance nor the VM has it. Both memories are in MiB.

    A VM has less than the instance that it is named after, by what the hypervisor takes; and some people count a GB
    as 1000 MiB. So a quarter less (on small instances, what the formula leaves) is still what the name says.
    """
    match = _MEMORY.search(name)
    if match is None:
        return None
    promised = int(match[1]) * _MIB_PER_GIB
    highest = promised * (1 + _SLACK)
    if instance_memory is not None:
        lowest = promised * (1 - 2 * _SLACK)
        return None if lowest <= instance_memory <= highest else int(match[1])
    lowest = min(promised * 0.75, max_memory(promised) * 0.9)
    return None if lowest <= memory <= highest else int(match[1])
