"""The programs' decisions, row by row."""

import itertools

import pytest
from msgspec import structs

from xio_slurm.errors import EmsError, EmsRefused, EmsUnreachable, EmsUnreadable
from xio_slurm.ledger import Entry, Phase, Run
from xio_slurm.power.decide import OnResume, OnSuspend, is_ours_after, may_come_late, on_resume, on_suspend

RUN = Run("xio-resume-2", 2000.0)
ENTRY = Entry("n-1", "pool", "ours", Run("xio-resume-1", 1900.0), asked=1901.0)
PHASES: tuple[Phase, ...] = ("asking", "ours", "deleting", "gone", "foreign")
NOW = 2010.0


@pytest.mark.parametrize("phase", [None, *PHASES])
def test_where_there_is_no_vm_one_is_asked_for(phase: Phase | None) -> None:
    entry = None if phase is None else structs.replace(ENTRY, phase=phase)
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
    entry = None if phase is None else structs.replace(ENTRY, phase=phase)
    assert on_resume(entry, exists=True, run=RUN, now=NOW, resume_timeout=600) is action


@pytest.mark.parametrize("phase", ["asking", "ours"])
def test_a_vm_of_an_earlier_turn_is_made_anew(phase: Phase) -> None:
    entry = structs.replace(ENTRY, phase=phase, asked=RUN.called - 601)
    assert on_resume(entry, exists=True, run=RUN, now=NOW, resume_timeout=600) is OnResume.REPLACE


@pytest.mark.parametrize(("phase", "exists"), list(itertools.product(PHASES, [True, False])))
def test_a_later_call_wins(phase: Phase, *, exists: bool) -> None:
    entry = structs.replace(ENTRY, phase=phase, run=Run("xio-suspend-3", RUN.called + 1))
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
    entry = None if phase is None else structs.replace(ENTRY, phase=phase)
    assert on_suspend(entry, run=RUN, now=NOW) is action


def test_a_vm_that_came_late_is_ours_and_made_anew() -> None:
    entry = structs.replace(ENTRY, phase="gone", unanswered=True)
    assert on_resume(entry, exists=True, run=RUN, now=NOW, resume_timeout=600) is OnResume.REPLACE
    assert on_suspend(entry, run=RUN, now=NOW) is OnSuspend.DELETE


@pytest.mark.parametrize("phase", PHASES)
def test_a_call_from_the_future_wins_nothing(phase: Phase) -> None:
    entry = structs.replace(ENTRY, phase=phase, run=Run("xio-suspend-3", NOW + 3600))
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
    assert is_ours_after(error, structs.replace(ENTRY, unanswered=unanswered)) is ours


@pytest.mark.parametrize(
    ("error", "late"),
    [
        (EmsUnreachable("lost", sent=True), True),
        (EmsUnreachable("refused", sent=False), False),
        (EmsUnreadable("half"), True),
        (EmsRefused("a proxy gave up", status=504), True),
        (EmsRefused("running", status=102), True),
        (EmsRefused("no", status=500), False),
        (EmsRefused("no", status=503), False),
    ],
)
def test_after_which_answers_the_vm_may_still_come(error: EmsError, *, late: bool) -> None:
    assert may_come_late(error) is late
