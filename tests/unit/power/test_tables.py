"""The tables of sync answer every situation there is, and none of their answers does harm."""

import itertools
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

import pytest

from xio_slurm.power.decisions import CONFIRMED, NODE_TABLE, VM_TABLE, NodeAction, VmAction
from xio_slurm.power.situation import Age, Answering, Gate, Held, Known, Power, Reserved, Seen, Situation
from xio_slurm.power.table import Table

WORDS: Final = (Power, Seen, Known, Age, Held, Gate, Reserved, Answering)
EVERY: Final = tuple(Situation(*values) for values in itertools.product(*WORDS))
TABLES: Final[tuple[Table[Any], ...]] = (VM_TABLE, NODE_TABLE)
IDS: Final = [table.title for table in TABLES]

ENDS_A_VM: Final = {VmAction.DELETE, VmAction.FINISH}
TOUCHES_A_VM: Final = set(VmAction) - {VmAction.NOTHING, VmAction.REPORT}
POWERS_DOWN: Final = {NodeAction.GIVE_UP, NodeAction.POWER_DOWN, NodeAction.CYCLE}
OURS: Final = {Known.ASKING, Known.OURS, Known.DELETING, Known.LATE}


@cache
def about_the_vm(situation: Situation) -> VmAction:
    return VM_TABLE.decide(situation).action


@cache
def about_the_node(situation: Situation) -> NodeAction:
    return NODE_TABLE.decide(situation).action


def where(action: VmAction | NodeAction) -> list[Situation]:
    """Every situation in which that is done; there is one at least, or a test of it would say nothing."""
    decide: Callable[[Situation], object] = about_the_vm if isinstance(action, VmAction) else about_the_node
    found = [situation for situation in EVERY if decide(situation) is action]
    assert found
    return found


def none(situations: Iterable[Situation]) -> bool:
    """Whether there is none; the first one is what a failure shows."""
    return next(iter(situations), None) is None


@pytest.mark.parametrize("table", TABLES, ids=IDS)
def test_every_situation_has_an_answer_with_a_reason(table: Table[Any]) -> None:
    assert len(EVERY) == 6 * 3 * 8 * 3 * 6 * 3 * 2 * 2
    assert all(table.decide(situation).why for situation in EVERY)


@pytest.mark.parametrize("table", TABLES, ids=IDS)
def test_every_row_decides_something(table: Table[Any]) -> None:
    deciding = {id(next(row for row in table if row.holds(situation))) for situation in EVERY}
    assert [row.why for row in table if id(row) not in deciding] == []


@pytest.mark.parametrize("table", TABLES, ids=IDS)
def test_every_row_is_about_a_situation_and_says_why(table: Table[Any]) -> None:
    for row in table:
        assert row.why.strip() == row.why != ""
        assert set(row.when) <= set(Situation.__struct_fields__)
        assert all(row.when.values())
    assert len({row.why for row in table}) >= len(table.rows) - 1  # both tables may end alike
    assert not table.rows[-1].when


@pytest.mark.parametrize("action", [*VmAction, *NodeAction])
def test_every_action_is_taken_somewhere(action: VmAction | NodeAction) -> None:
    assert where(action)


def test_a_vm_that_slurm_wants_is_never_deleted() -> None:
    wanted = (Power.CHOSEN, Power.POWERING_UP, Power.ON)
    ended = [each for each in EVERY if each.power in wanted and about_the_vm(each) in ENDS_A_VM]
    assert {(each.power, each.known, about_the_vm(each)) for each in ended} == {
        (Power.POWERING_UP, Known.DELETING, VmAction.FINISH)
    }


def test_only_a_vm_that_is_there_and_ours_is_deleted() -> None:
    for action in ENDS_A_VM:
        assert none(each for each in where(action) if each.vm is not Seen.THERE or each.known not in OURS)


def test_a_vm_that_the_ledger_calls_no_vm_of_ours_is_reported_and_no_more() -> None:
    for each in EVERY:
        if each.vm is Seen.THERE and each.known in {Known.NEVER, Known.GONE, Known.FOREIGN}:
            assert about_the_vm(each) in {VmAction.REPORT, VmAction.NOTHING}


@pytest.mark.parametrize("blind", [{"vm": Seen.UNKNOWN}, {"known": Known.DAMAGED}], ids=["no list", "no entry"])
def test_nothing_is_done_about_a_vm_of_which_something_is_unknown(blind: dict[str, Any]) -> None:
    ((name, value),) = blind.items()
    assert none(e for e in EVERY if getattr(e, name) is value and about_the_vm(e) is not VmAction.NOTHING)
    assert none(e for e in EVERY if getattr(e, name) is value and about_the_node(e) is NodeAction.GIVE_UP)


def test_no_program_is_disturbed_at_its_work() -> None:
    fresh = [each for each in EVERY if each.age is Age.FRESH]
    assert {about_the_vm(each) for each in fresh} == {VmAction.NOTHING, VmAction.REPORT}
    assert none(each for each in fresh if about_the_node(each) is NodeAction.GIVE_UP)


def test_an_administrators_word_stands() -> None:
    held = [each for each in EVERY if each.held is Held.ADMINISTRATOR]
    assert {about_the_node(each) for each in held} == {NodeAction.NOTHING}
    assert none(each for each in held if about_the_vm(each) is VmAction.ASK)


def test_slurm_calls_its_program_before_sync_does_anything() -> None:
    chosen = [each for each in EVERY if each.power is Power.CHOSEN]
    assert {about_the_vm(each) for each in chosen} == {VmAction.NOTHING, VmAction.REPORT}
    assert {about_the_node(each) for each in chosen} == {NodeAction.NOTHING}


def test_only_what_a_failed_start_left_is_released() -> None:
    for action in (NodeAction.RELEASE, NodeAction.RELEASE_ONE):
        for each in where(action):
            assert each.power is Power.OFF
            assert each.held in {Held.XIO, Held.TIMEOUT, Held.REGISTRATION, Held.SLURM}


def test_no_node_of_a_closed_pool_is_released_and_only_such_are_drained() -> None:
    assert {each.gate for each in where(NodeAction.RELEASE)} == {Gate.OPEN}
    assert {each.gate for each in where(NodeAction.RELEASE_ONE)} == {Gate.HALF_OPEN}
    assert {(each.gate, each.power, each.held) for each in where(NodeAction.CLOSE)} == {
        (Gate.CLOSED, Power.OFF, Held.NOBODY)
    }


def test_a_closed_pool_takes_no_job() -> None:
    closed = (e for e in EVERY if e.gate is Gate.CLOSED and e.power is Power.OFF and e.held is Held.NOBODY)
    assert {about_the_node(each) for each in closed if each.reserved is Reserved.NO} == {NodeAction.CLOSE}


def test_a_node_that_works_is_left_alone() -> None:
    works = [
        each
        for each in EVERY
        if (each.power, each.vm, each.known, each.held) == (Power.ON, Seen.THERE, Known.OURS, Held.NOBODY)
    ]
    assert {(about_the_vm(each), about_the_node(each)) for each in works} == {(VmAction.NOTHING, NodeAction.NOTHING)}


def test_no_job_is_killed_while_its_slurmd_answers_unless_its_vm_was_ours_and_is_gone() -> None:
    works = (e for e in EVERY if (e.power, e.held, e.answering) == (Power.ON, Held.NOBODY, Answering.YES))
    for each in works:
        if about_the_node(each) in POWERS_DOWN:
            assert each.vm is Seen.NOT_THERE
            assert each.known in OURS


def test_a_job_waits_for_nothing_that_will_not_come() -> None:
    """Slurm waits, there is no VM, and no program is at it: one is asked for, or the node is given up."""
    for each in EVERY:
        if each.power is Power.POWERING_UP and each.vm is Seen.NOT_THERE and each.age is not Age.FRESH:
            if each.known is Known.DAMAGED or each.held is Held.ADMINISTRATOR:
                continue
            asked = about_the_vm(each) is VmAction.ASK
            assert asked or about_the_node(each) in POWERS_DOWN, each


def test_a_node_is_not_given_up_and_made_a_vm_for_at_once() -> None:
    assert none(each for each in where(VmAction.ASK) if about_the_node(each) in POWERS_DOWN)


def test_what_the_one_table_says_is_given_up_the_other_gives_up() -> None:
    for each in EVERY:
        if "given up" in VM_TABLE.decide(each).why:
            assert about_the_node(each) in POWERS_DOWN, each


def test_a_vm_of_ours_that_nobody_wants_is_ended() -> None:
    unwanted = (e for e in EVERY if e.power in {Power.OFF, Power.ABSENT} and e.vm is Seen.THERE)
    for each in unwanted:
        if each.known in OURS and each.age is not Age.FRESH:
            assert about_the_vm(each) in ENDS_A_VM, each


def test_what_cannot_be_taken_back_is_done_only_after_two_looks() -> None:
    assert {VmAction.DELETE, VmAction.ASK, NodeAction.GIVE_UP} <= CONFIRMED
    assert not {VmAction.NOTHING, NodeAction.NOTHING} & CONFIRMED
    # What is left are steps that somebody has begun already, or that Slurm takes back at a word.
    assert set(VmAction) - CONFIRMED == {VmAction.NOTHING, VmAction.FINISH, VmAction.ADDRESS}
    assert {VmAction.FINISH, VmAction.ADDRESS} == TOUCHES_A_VM - CONFIRMED


def test_a_reservation_is_neither_closed_nor_cycled() -> None:
    touched = {about_the_node(each) for each in EVERY if each.power is Power.OFF and each.reserved is Reserved.YES}
    assert not touched & {NodeAction.CLOSE, NodeAction.CYCLE}
