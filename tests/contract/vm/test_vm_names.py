"""Test VMs' names: host names that no node can have."""

from hypothesis import given
from hypothesis import strategies as st

from xio_slurm.naming import MAX_NODE_NAME, split_node_name
from xio_slurm.vms.names import is_test_name, new_test_name


@given(st.text(max_size=100))
def test_whatever_the_pool_is_called(pool: str) -> None:
    name = new_test_name(pool)
    assert len(name) <= MAX_NODE_NAME
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
    assert name[-1] != "-"
    assert is_test_name(name)


@given(st.text(max_size=100), st.sampled_from(["", "xio-", "xio-test-", "xspot-vm-"]))
def test_no_prefix_and_pool_make_it_a_nodes_name(pool: str, prefix: str) -> None:
    assert split_node_name(prefix, new_test_name(pool)) is None


def test_no_two_are_alike() -> None:
    assert len({new_test_name("a") for _ in range(100)}) == 100


def test_a_nodes_name_is_no_test_vms() -> None:
    assert not is_test_name("xio-test-a-1")
    assert not is_test_name("xspot-vm-a-abcdef")
