"""Which nodes of a pool are taken out of use and given back."""

import re

import pytest
from msgspec import structs

from tests.unit.test_lost_starts import MANIFEST
from xio_slurm.manifest import Pool
from xio_slurm.power.breaker import EVERY_POOL, Breaker
from xio_slurm.power.pool_nodes import to_drain, to_release, why_closed
from xio_slurm.power.situation import Gate
from xio_slurm.slurm.states import NodeState

TWO_POOLS = structs.replace(MANIFEST, pools=(*MANIFEST.pools, Pool("b", "p", "i", 9, 1, 1000, None, 10)))


def state(name: str, base: str, *flags: str, reason: str = "") -> NodeState:
    """A cloud node's state."""
    return NodeState(name, base, frozenset({"CLOUD", *flags}), name, reason)


@pytest.mark.parametrize(
    ("found", "drained", "released"),
    [
        (state("n-a-1", "IDLE", "POWERED_DOWN"), True, False),
        (state("n-a-1", "IDLE", "POWERED_DOWN", reason="xio:capacity x"), True, False),
        (state("n-a-1", "IDLE", "POWERED_DOWN", "RESERVED"), False, False),
        (state("n-a-1", "IDLE", "POWERED_DOWN", "DRAIN", reason="xio:capacity x"), False, True),
        (state("n-a-1", "DOWN", "POWERED_DOWN", reason="xio:capacity x"), False, True),
        (state("n-a-1", "IDLE", "POWERED_DOWN", "DRAIN", reason="disk"), False, False),
        (state("n-a-1", "DOWN", "POWERED_DOWN", reason="ResumeTimeout reached"), False, False),
        (state("n-a-1", "ALLOCATED", "POWERED_DOWN"), False, False),
        (state("n-a-1", "IDLE"), False, False),
        (state("n-a-1", "IDLE", "POWERING_DOWN", "DRAIN", reason="xio:capacity x"), False, False),
        (state("n-a-1", "ALLOCATED", "POWERING_UP"), False, False),
        (state("n-a-10", "IDLE", "POWERED_DOWN"), False, False),
        (state("pc-1", "IDLE", "POWERED_DOWN", "DRAIN", reason="xio:capacity x"), False, False),
    ],
)
def test_idle_nodes_are_drained_and_those_with_a_reason_of_ours_released(
    found: NodeState, *, drained: bool, released: bool
) -> None:
    for pool in ("a", EVERY_POOL):
        assert bool(to_drain([found], TWO_POOLS, pool)) is drained
        assert bool(to_release([found], TWO_POOLS, pool)) is released
    assert to_drain([found], TWO_POOLS, "b") == to_release([found], TWO_POOLS, "b") == ()


def test_why_a_pool_is_closed() -> None:
    closed = Breaker("a", Gate.CLOSED, "capacity", "none", until=60.0)
    assert re.fullmatch(r"pool a is closed until \d\d:\d\d: none", why_closed(closed))
    by_hand = structs.replace(closed, pool=EVERY_POOL, until=None)
    assert why_closed(by_hand) == "all pools are closed until it is opened by hand: none"
