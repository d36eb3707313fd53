"""A node that the manifest had once: what is left of it is told, and who takes it away."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.desk.sights import DEAD, FINE, MANIFEST, NOW, STUCK, WAITS, event, judge, node, of_job, running, seen
from xio_slurm.desk.looks import Unseen
from xio_slurm.desk.story.conclusion import Weight
from xio_slurm.desk.story.seen import NodeSeen, Seen, Subject
from xio_slurm.desk.story.subjects import UnknownNameError, subject_of
from xio_slurm.desk.story.telling import story
from xio_slurm.ems.vms import Vm
from xio_slurm.ledger import Entry, Run

OLD = "xspot-vm-old-1"
THERE = Vm(OLD, "10.0.0.1", None)


def of_old(entry: str | None, vm: Vm | Unseen | None, name: str = OLD, **fields: Any) -> Seen:
    """Somebody asks about it."""
    noted = None
    if entry is not None:
        noted = Entry(name, "old", entry, Run("r", NOW - 99), asked=NOW - 99)  # type: ignore[arg-type]  # a Phase
    plain = seen(Subject("node", name), former=frozenset({name}), **fields)
    return replace(plain, near={name: NodeSeen(noted, vm)})


@pytest.mark.parametrize(
    "case",
    [
        (of_old("gone", None), FINE, "which has no pool old, and has no VM", "nothing"),
        (of_old(None, None, "xspot-vm-amd-3"), FINE, "whose pool amd has the nodes 1 to 2, and has no VM", "nothing"),
        (of_old(None, None, "xwo-old-1"), FINE, "whose nodes' names begin with xspot-vm-", "nothing"),
        (of_old("ours", THERE), WAITS, "and its VM is still there", "nothing: xio sync has it deleted"),
        (of_old("ours", THERE, **DEAD), STUCK, "and its VM is still there", f"or at once: xio vm delete {OLD}"),
        (of_old("foreign", THERE), FINE, "which isn't this cluster's", "nothing"),
        (of_old("gone", THERE), FINE, "which isn't this cluster's", "nothing"),
        (of_old("ours", Unseen("silent")), STUCK, "the EMS doesn't tell of its VM: silent", "xio doctor"),
        (
            of_old("ours", THERE, jobs=(running(OLD),), nodes=(node("ALLOCATED+CLOUD", OLD),)),
            WAITS,
            "its VM runs job 12 still",
            "scontrol show job 12",
        ),
        (of_old("gone", None, jobs=(running(OLD),)), STUCK, "but Slurm has job 12 on it", "xio plan"),
        (of_old("gone", None, nodes=(node("IDLE+CLOUD", OLD),)), WAITS, "Slurm still has the node", "xio plan"),
    ],
)
def test_what_is_left_of_it_is_told(case: tuple[Seen, Weight, str, str]) -> None:
    judge(case)


def test_its_ledger_entry_that_cant_be_read_leaves_open_whose_its_vm_is() -> None:
    unread = replace(of_old("ours", THERE), near={OLD: NodeSeen(Unseen("no JSON"), THERE)})
    judge((unread, STUCK, "whose that is can't be told: no JSON", "xio doctor"))


def test_its_story_is_told() -> None:
    told = story(of_old("ours", THERE, events=(event("asked", name=OLD, pool="old", ems_job="7"),)))
    assert "the EMS makes the VM (its job 7)" in [moment.words for moment in told.moments]


def test_a_job_on_it_is_a_job_of_ours() -> None:
    sight = of_job(running(OLD), former=frozenset({OLD}))
    judge((replace(sight, near={OLD: NodeSeen(None, None)}), STUCK, f"a node: {OLD} isn't in the manifest", "xio plan"))


def test_a_name_is_its_if_something_knows_it() -> None:
    assert subject_of(OLD, MANIFEST, was_node=lambda name: name == OLD) == Subject("node", OLD)
    for kind in ("pool", "job"):
        with pytest.raises(UnknownNameError):
            subject_of(OLD, MANIFEST, kind, was_node=lambda _: True)
