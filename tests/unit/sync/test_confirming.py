"""Two looks, apart in time, must say the same by the same entry."""

from collections.abc import Callable
from dataclasses import replace

from tests.unit.sync.conftest import entry, seen
from xio_slurm.manifest import Manifest
from xio_slurm.power.sync.confirming import Looks, confirm, until_next_look
from xio_slurm.power.sync.proposals import Proposal, propose

OFF = "IDLE+CLOUD+POWERED_DOWN"


def orphan(manifest: Manifest, node: str = "n-a-1", age: float = 1000.0) -> Proposal:
    (found,) = propose(seen({node: OFF}, entry(node, age=age), vms={node}), manifest, {})
    assert found.needs_two_looks
    return found


def test_the_second_look_must_come_late_enough(manifest: Callable[..., Manifest]) -> None:
    found = orphan(manifest())
    first = confirm(Looks(), [found], 100.0, grace=90.0, saw_all=True)
    assert (first.ripe, first.waiting, first.new) == ((), (found,), (found,))
    soon = confirm(first.looks, [found], 189.9, grace=90.0, saw_all=True)
    assert (soon.ripe, soon.waiting, soon.new) == ((), (found,), ())
    assert confirm(soon.looks, [found], 190.0, grace=90.0, saw_all=True).ripe == (found,)


def test_another_entry_begins_anew(manifest: Callable[..., Manifest]) -> None:
    first = confirm(Looks(), [orphan(manifest())], 100.0, grace=90.0, saw_all=True)
    changed = orphan(manifest(), age=999.0)
    second = confirm(first.looks, [changed], 200.0, grace=90.0, saw_all=True)
    assert (second.ripe, second.new) == ((), (changed,))


def test_another_reason_begins_anew(manifest: Callable[..., Manifest]) -> None:
    found = orphan(manifest())
    first = confirm(Looks(), [found], 100.0, grace=90.0, saw_all=True)
    assert confirm(first.looks, [replace(found, why="another")], 200.0, grace=90.0, saw_all=True).ripe == ()


def test_a_look_between_that_says_nothing_of_it_begins_anew(manifest: Callable[..., Manifest]) -> None:
    found = orphan(manifest())
    first = confirm(Looks(), [found], 100.0, grace=90.0, saw_all=True)
    between = confirm(first.looks, [], 150.0, grace=90.0, saw_all=True)
    assert confirm(between.looks, [found], 200.0, grace=90.0, saw_all=True).ripe == ()


def test_a_look_that_saw_too_little_says_nothing_against_it(manifest: Callable[..., Manifest]) -> None:
    found = orphan(manifest())
    first = confirm(Looks(), [found], 100.0, grace=90.0, saw_all=True)
    between = confirm(first.looks, [], 150.0, grace=90.0, saw_all=False)
    assert confirm(between.looks, [found], 200.0, grace=90.0, saw_all=True).ripe == (found,)


def test_what_may_be_done_at_once_is(manifest: Callable[..., Manifest]) -> None:
    (found,) = propose(seen({"n-a-1": OFF}, entry("n-a-1", "deleting"), vms={"n-a-1"}), manifest(), {})
    done = confirm(Looks(), [found], 100.0, grace=90.0, saw_all=True)
    assert (done.ripe, done.waiting) == ((found,), ())


def test_a_nodes_vm_and_the_node_itself_are_two_matters(manifest: Callable[..., Manifest]) -> None:
    """A VM that isn't ours, in the way of a node that powers up: told of, and the node given up."""
    state = {"n-a-1": "ALLOCATED+CLOUD+POWERING_UP"}
    found = propose(seen(state, vms={"n-a-1"}), manifest(), {})
    assert len(found) == 2
    first = confirm(Looks(), found, 100.0, grace=90.0, saw_all=True)
    assert confirm(first.looks, found, 200.0, grace=90.0, saw_all=True).ripe == found


def test_the_next_look_comes_when_it_confirms_something() -> None:
    assert until_next_look(10.0, 16.0, None) == 10.0
    assert until_next_look(10.0, 16.0, 90.0) == 10.0
    assert until_next_look(10.0, 16.0, 13.0) == 13.0  # a little later, so that it isn't too early
    assert until_next_look(10.0, 16.0, 7.0) == 7.0
    assert until_next_look(15.0, 16.0, 0.5) == 3.0  # looks don't follow on each other's heels
    assert until_next_look(-5.0, 16.0, None) == until_next_look(-5.0, 16.0, -1.0) == 0.0


def test_what_waits_says_until_when(manifest: Callable[..., Manifest]) -> None:
    first = [orphan(manifest())]
    looked = confirm(Looks(), first, 100.0, grace=90.0, saw_all=True)
    assert looked.ripe_at == 190.0
    assert confirm(looked.looks, first, 115.0, grace=90.0, saw_all=True).ripe_at == 190.0
    assert confirm(looked.looks, first, 190.0, grace=90.0, saw_all=True).ripe_at is None
