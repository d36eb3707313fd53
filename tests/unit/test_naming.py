"""A node's name is taken apart from its end, since pool names hold numbers and hyphens themselves."""

import pytest

from xio_slurm.naming import node_name, split_node_name


@pytest.mark.parametrize("pool", ["amd-8-gb-1-cores", "a", "pool-1", "x.y_z"])
@pytest.mark.parametrize("number", [1, 10, 65536])
def test_a_name_that_was_put_together_comes_apart_again(pool: str, number: int) -> None:
    assert split_node_name("xspot-vm-", node_name("xspot-vm-", pool, number)) == (pool, number)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "xspot-vm-",
        "xspot-vm-1",
        "xspot-vm--1",
        "xspot-vm-pool",
        "xspot-vm-pool-0",
        "xspot-vm-pool-01",
        "xspot-vm-pool-1\n",
        "xspot-vm-pool-²",
        "xspot-vm-pool-",
        "queue1-dy-compute-1",
        "XSPOT-VM-pool-1",
    ],
)
def test_names_that_are_not_formed_like_ours_are_nobodys(name: str) -> None:
    assert split_node_name("xspot-vm-", name) is None
