"""What is proposed for many nodes at once, and what a node that is given up is told with."""

from collections.abc import Callable

import pytest

from tests.unit.sync.conftest import entry, seen
from xio_slurm.ledger import Entry
from xio_slurm.manifest import Manifest
from xio_slurm.power.breaker import EVERY_POOL, Breaker
from xio_slurm.power.decisions import NodeAction, VmAction
from xio_slurm.power.situation import Gate
from xio_slurm.power.sync.observation import Observation
from xio_slurm.power.sync.proposals import failure_of, propose, some_of_each_pool
from xio_slurm.slurm.states import NodeState

OFF = "IDLE+CLOUD+POWERED_DOWN"
BOOTING = "ALLOCATED+CLOUD+NOT_RESPONDING+POWERING_UP"
DRAINED = NodeState("", "IDLE", frozenset({"CLOUD", "DRAIN", "POWERED_DOWN"}), "", "xio:capacity none")


def held(*nodes: str, others: dict[str, str] | None = None) -> Observation:
    found = seen(others or {})
    drained = {node: NodeState(node, DRAINED.base, DRAINED.flags, node, DRAINED.reason) for node in nodes}
    return Observation(found.time, {**found.states, **drained}, found.vms, {}, frozenset(), (), silence_lasts=True)


HALF_OPEN = {"a": Breaker("a", Gate.HALF_OPEN, "capacity")}


def test_a_half_open_pool_lets_one_through(manifest: Callable[..., Manifest]) -> None:
    found = propose(held("n-a-1", "n-a-2", "n-a-3", "n-b-1"), manifest(), HALF_OPEN)
    assert [(each.node, each.action) for each in found] == [
        ("n-a-1", NodeAction.RELEASE_ONE),
        ("n-b-1", NodeAction.RELEASE),
    ]


@pytest.mark.parametrize("state", [OFF, "ALLOCATED+CLOUD+POWERED_DOWN", BOOTING])
def test_none_while_one_is_on_its_way(manifest: Callable[..., Manifest], state: str) -> None:
    found = propose(held("n-a-1", "n-a-2", others={"n-a-4": state}), manifest(), HALF_OPEN)
    assert [each for each in found if each.action is NodeAction.RELEASE_ONE] == []


def test_a_closed_ems_closes_every_pool(manifest: Callable[..., Manifest]) -> None:
    closed = {EVERY_POOL: Breaker(EVERY_POOL, Gate.CLOSED, "unreachable")}
    found = propose(seen({"n-a-1": OFF, "n-b-1": OFF}), manifest(), closed)
    assert [(each.node, each.action) for each in found] == [("n-a-1", NodeAction.CLOSE), ("n-b-1", NodeAction.CLOSE)]


def test_nodes_of_no_pool_are_another_matter(manifest: Callable[..., Manifest]) -> None:
    looked = seen({"n-c-1": BOOTING, "n-a-9": "DOWN+CLOUD+POWERED_DOWN", "n-a-1": OFF}, vms={"n-a-9", "x-1"})
    assert propose(looked, manifest(), {}) == ()
    former = seen({"n-c-1": "IDLE+CLOUD+NOT_RESPONDING+POWERED_DOWN", "n-a-1": OFF}, entry("n-c-1", "gone"))
    assert propose(former, manifest(), {}) == ()


def test_a_vm_of_a_pool_that_is_no_more_is_ended(manifest: Callable[..., Manifest]) -> None:
    looked = seen({"n-a-1": OFF}, entry("n-c-1"), vms={"n-c-1"})
    assert [(each.node, each.pool, each.action) for each in propose(looked, manifest(), {})] == [
        ("n-c-1", "", VmAction.DELETE)
    ]


def test_no_vm_is_asked_for_where_nobody_knows_which(manifest: Callable[..., Manifest]) -> None:
    assert propose(seen({"n-c-1": BOOTING, "n-a-1": OFF}, entry("n-c-1", "gone")), manifest(), {}) == ()


@pytest.mark.parametrize("phase", ["ours", "asking", "deleting", "foreign"])
def test_a_node_with_a_story_is_looked_at(manifest: Callable[..., Manifest], phase: str) -> None:
    found = propose(seen({"n-a-1": OFF}, entry("n-a-1", phase), vms={"n-a-1"}), manifest(), {})
    assert [each.node for each in found] == ["n-a-1"]


def test_a_vm_that_came_late_is_ended(manifest: Callable[..., Manifest]) -> None:
    late = entry("n-a-1", "gone", unanswered=True)
    (found,) = propose(seen({"n-a-1": OFF}, late, vms={"n-a-1"}), manifest(), {})
    assert found.action is VmAction.DELETE


@pytest.mark.parametrize(
    ("state", "known", "there", "told"),
    [
        (BOOTING, entry("n-a-1", age=5000.0), True, "boot no slurmd registered within 540 s"),
        (BOOTING, entry("n-a-1", age=5000.0), False, "boot no slurmd registered within 540 s"),
        (BOOTING, entry("n-a-1", "foreign"), True, "foreign the EMS has a VM of this name"),
        ("ALLOCATED+CLOUD", entry("n-a-1", age=5000.0), False, "boot the VM is gone"),
    ],
)
def test_why_a_node_is_given_up(
    manifest: Callable[..., Manifest], state: str, known: Entry, *, there: bool, told: str
) -> None:
    looked = seen({"n-a-1": state}, known, vms={"n-a-1"} if there else set())
    given_up = [each for each in propose(looked, manifest(), {}) if each.action is NodeAction.GIVE_UP]
    failed = failure_of(given_up[0], 540.0)
    assert failed.node == "n-a-1"
    assert f"{failed.code} {failed.text}".startswith(told)


def test_a_node_of_a_closed_pool_without_a_vm_is_given_up(manifest: Callable[..., Manifest]) -> None:
    closed = {"a": Breaker("a", Gate.CLOSED, "capacity")}
    (found,) = propose(seen({"n-a-1": BOOTING}), manifest(), closed)
    assert failure_of(found, 540.0).code == "closed"


def test_a_few_at_a_time_are_powered_down_again(manifest: Callable[..., Manifest]) -> None:
    silent = "IDLE+CLOUD+NOT_RESPONDING+POWERED_DOWN"
    states = {f"n-a-{number}": silent for number in (1, 2, 3)} | {"n-b-1": silent}
    looked = seen(states)
    found = propose(looked, manifest(), {})
    assert {each.action for each in found} == {NodeAction.CYCLE}
    assert [each.node for each in some_of_each_pool(found, looked)] == ["n-a-1", "n-b-1"]
    going = seen({**states, "n-a-4": "IDLE+CLOUD+POWERING_DOWN"})
    assert [each.node for each in some_of_each_pool(found, going)] == ["n-b-1"]
