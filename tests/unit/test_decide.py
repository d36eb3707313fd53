"""The programs' decisions, row by row."""

import itertools
from dataclasses import replace

import pytest

from xio_slurm.errors import EmsError, EmsRefused, EmsUnreachable, EmsUnreadable
from xio_slurm.ledger import Entry, Phase, Run
from xio_slurm.power.decide import (
    MAX_REASONS,
    OnResume,
    OnSuspend,
    is_ours_after,
    on_resume,
    on_suspend,
    updates_after_resume,
)
from xio_slurm.power.outcome import Failed
from xio_slurm.slurm.states import NodeState

RUN = Run("xio-resume-2", 2000.0)
ENTRY = Entry("n-1", "pool", "ours", Run("xio-resume-1", 1900.0), asked=1901.0)
PHASES: tuple[Phase, ...] = ("asking", "ours", "deleting", "gone", "foreign")
NOW = 2010.0


@pytest.mark.parametrize("phase", [None, *PHASES])
def test_where_there_is_no_vm_one_is_asked_for(phase: Phase | None) -> None:
    entry = None if phase is None else replace(ENTRY, phase=phase)
    assert on_resume(entry, exists=False, run=RUN, now=NOW, resume_timeout=600) is OnResume.ASK


@pytest.mark.parametrize(
    ("phase", "action"),
    [
        (None, OnResume.FOREIGN),
        ("foreign", OnResume.FOREIGN),
        ("asking", OnResume.ADOPT),
        ("ours", OnResume.ADOPT),
        ("deleting", OnResume.REPLACE),
        ("gone", OnResume.FOREIGN),
    ],
)
def test_where_there_is_a_vm_the_ledger_says_whose(phase: Phase | None, action: OnResume) -> None:
    entry = None if phase is None else replace(ENTRY, phase=phase)
    assert on_resume(entry, exists=True, run=RUN, now=NOW, resume_timeout=600) is action


@pytest.mark.parametrize("phase", ["asking", "ours"])
def test_a_vm_of_an_earlier_turn_is_made_anew(phase: Phase) -> None:
    entry = replace(ENTRY, phase=phase, asked=RUN.called - 601)
    assert on_resume(entry, exists=True, run=RUN, now=NOW, resume_timeout=600) is OnResume.REPLACE


@pytest.mark.parametrize(("phase", "exists"), list(itertools.product(PHASES, [True, False])))
def test_a_later_call_wins(phase: Phase, *, exists: bool) -> None:
    entry = replace(ENTRY, phase=phase, run=Run("xio-suspend-3", RUN.called + 1))
    assert on_resume(entry, exists=exists, run=RUN, now=NOW, resume_timeout=600) is OnResume.YIELD
    assert on_suspend(entry, run=RUN, now=NOW) is OnSuspend.YIELD


@pytest.mark.parametrize(
    ("phase", "action"),
    [
        (None, OnSuspend.DELETE),
        ("asking", OnSuspend.DELETE),
        ("ours", OnSuspend.DELETE),
        ("deleting", OnSuspend.DELETE),
        ("gone", OnSuspend.NOTHING),
        ("foreign", OnSuspend.FOREIGN),
    ],
)
def test_a_suspend_deletes_all_but_what_is_anothers(phase: Phase | None, action: OnSuspend) -> None:
    entry = None if phase is None else replace(ENTRY, phase=phase)
    assert on_suspend(entry, run=RUN, now=NOW) is action


def test_a_vm_that_came_late_is_ours_and_made_anew() -> None:
    entry = replace(ENTRY, phase="gone", unanswered=True)
    assert on_resume(entry, exists=True, run=RUN, now=NOW, resume_timeout=600) is OnResume.REPLACE
    assert on_suspend(entry, run=RUN, now=NOW) is OnSuspend.DELETE


@pytest.mark.parametrize("phase", PHASES)
def test_a_call_from_the_future_wins_nothing(phase: Phase) -> None:
    entry = replace(ENTRY, phase=phase, run=Run("xio-suspend-3", NOW + 3600))
    assert on_resume(entry, exists=False, run=RUN, now=NOW, resume_timeout=600) is OnResume.ASK
    assert on_suspend(entry, run=RUN, now=NOW) is not OnSuspend.YIELD


@pytest.mark.parametrize(
    ("error", "unanswered", "ours"),
    [
        (EmsUnreachable("lost", sent=True), False, True),
        (EmsUnreadable("half"), False, True),
        (EmsRefused("no", status=500), False, True),
        (EmsRefused("no", status=429), False, True),
        (EmsRefused("no", status=409), False, False),
        (EmsRefused("no", status=400), False, False),
        (EmsRefused("no", status=409), True, True),
    ],
)
def test_whose_a_vm_is_that_appeared_while_we_asked(error: EmsError, *, unanswered: bool, ours: bool) -> None:
    assert is_ours_after(error, replace(ENTRY, unanswered=unanswered)) is ours


def _states(*names: str, state: str = "POWERING_UP") -> dict[str, NodeState]:
    return {name: NodeState(name, "ALLOCATED", frozenset({"CLOUD", state}), name, "") for name in names}


def test_no_failure_is_nothing_to_tell() -> None:
    assert updates_after_resume([], _states("n-1")) == ()


def test_equal_failures_are_one_update_and_all_are_powered_down_in_another() -> None:
    failures = [Failed(node, "rejected", "EMS 400: no image") for node in ("n-1", "n-2")]
    down, power_down = updates_after_resume(failures, _states("n-1", "n-2"))
    assert (down.nodes, down.state, down.reason) == (("n-1", "n-2"), "DOWN", "xio:rejected EMS 400: no image")
    assert (power_down.nodes, power_down.state, power_down.reason) == (("n-1", "n-2"), "POWER_DOWN", None)


def test_a_node_that_powers_up_no_more_is_left() -> None:
    failures = [Failed("n-1", "ems", "x"), Failed("n-2", "ems", "x"), Failed("n-3", "ems", "x")]
    states = _states("n-1", state="POWERING_DOWN") | _states("n-2")
    assert {node for update in updates_after_resume(failures, states) for node in update.nodes} == {"n-2"}


def test_many_different_reasons_do_not_become_many_calls() -> None:
    names = [f"n-{number}" for number in range(500)]
    failures = [Failed(name, "rejected", f"EMS 400: {name} is odd") for name in names]
    updates = updates_after_resume(failures, _states(*names))
    assert len(updates) <= MAX_REASONS + 1
    assert sorted(updates[0].nodes) == sorted(names)


def test_a_reason_holds_nothing_that_its_readers_stumble_over() -> None:
    failures = [Failed("n-1", "ems", 'a="b"\n\x1b[31mred\\ ' + "x" * 1000)]
    reason = updates_after_resume(failures, _states("n-1"))[0].reason
    assert reason is not None
    assert reason.startswith("xio:ems a b [31mred x")
    assert len(reason) <= 200
