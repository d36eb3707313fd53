"""Upstream's formulas, with the numbers that its clusters have today."""

import pytest

from xio_slurm.config.model import CpuVendor
from xio_slurm.config.sizing import default_weight, max_memory


@pytest.mark.parametrize(
    ("instance", "left"), [(8192, 3532), (16384, 11672), (32768, 27952), (65536, 60512), (1048576, 1037312)]
)
def test_the_hypervisor_takes_its_share_of_an_instance(instance: int, left: int) -> None:
    assert max_memory(instance) == left


def test_too_small_an_instance_leaves_nothing() -> None:
    assert max_memory(4096) < 1


@pytest.mark.parametrize(
    ("vendor", "cpus", "memory", "weight"),
    [
        ("amd", 4, 32768, 4 * 45 + 96),
        ("intel", 4, 32768, 4 * 78 + 96),
        ("amd", 24, 7200, 24 * 45 + 21),
        ("intel", 24, 350000, 24 * 78 + 1025),
    ],
)
def test_a_node_weighs_what_its_cpus_and_memory_cost(vendor: CpuVendor, cpus: int, memory: int, weight: int) -> None:
    assert default_weight(vendor, cpus, memory) == weight
