"""What Slurm is told of failed nodes, by the code of their failure."""

from typing import get_args

from xio_slurm.power.failures import TREATMENTS
from xio_slurm.power.node_updates import MAX_REASONS, Update, reason, updates_for, where_force_is_unknown
from xio_slurm.power.outcome import Code, Failed


def test_every_code_has_a_treatment() -> None:
    assert set(get_args(Code)) == set(TREATMENTS)


def test_no_failure_is_nothing_to_tell() -> None:
    assert updates_for([]) == ()


def test_equal_failures_are_one_update_and_all_are_powered_down_in_another() -> None:
    failures = [Failed(node, "rejected", "EMS 400: no image") for node in ("n-1", "n-2")]
    assert updates_for(failures) == (
        Update(("n-1", "n-2"), "DOWN", "xio:rejected EMS 400: no image"),
        Update(("n-1", "n-2"), "POWER_DOWN", None),
    )


def test_what_passes_frees_the_node_at_once() -> None:
    failures = [Failed("n-1", "ems", "x"), Failed("n-2", "capacity", "y"), Failed("n-3", "unreachable", "z")]
    assert updates_for(failures) == (
        Update(("n-2",), "DOWN", "xio:capacity y"),
        Update(("n-2",), "POWER_DOWN", None),
        Update(("n-1",), "POWER_DOWN_FORCE", "xio:ems x"),
        Update(("n-3",), "POWER_DOWN_FORCE", "xio:unreachable z"),
    )


def test_where_force_is_unknown_two_updates_do_the_same() -> None:
    assert where_force_is_unknown(Update(("n-1",), "POWER_DOWN_FORCE", "xio:ems x")) == (
        Update(("n-1",), "DOWN", "xio:ems x"),
        Update(("n-1",), "POWER_DOWN", None),
    )


def test_many_different_reasons_do_not_become_many_calls() -> None:
    odd = [Failed(f"n-{number}", "rejected", f"EMS 400: n-{number} is odd") for number in range(500)]
    equal = [Failed(f"m-{number}", "capacity", "EMS 503: none") for number in range(500)]
    several, capacity, power_down = updates_for([*odd, *equal])
    assert sorted(several.nodes) == sorted(failure.node for failure in odd)
    assert several.reason == "xio:rejected several failures: see the log"
    assert (capacity.reason, len(capacity.nodes)) == ("xio:capacity EMS 503: none", 500)
    assert len(power_down.nodes) == 1000


def test_some_different_reasons_are_told_as_they_are() -> None:
    failures = [Failed(f"n-{number}", "foreign", f"text {number}") for number in range(MAX_REASONS)]
    assert [update.reason for update in updates_for(failures)[:-1]] == [
        f"xio:foreign text {number}" for number in range(MAX_REASONS)
    ]


def test_a_reason_holds_nothing_that_its_readers_stumble_over() -> None:
    text = reason("ems", 'a="b"\n\x1b[31mred\\ ' + "x" * 1000)
    assert text.startswith("xio:ems a b [31mred x")
    assert len(text) <= 200
