"""A breaker keeps jobs from starting in vain, and never for longer than it should."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from xio_slurm.manifest import Recovery
from xio_slurm.power.breaker import (
    Breaker,
    Cause,
    after_boot,
    after_boot_failure,
    after_refusal,
    after_success,
    closed_by_hand,
    in_time,
    opened_by_hand,
)
from xio_slurm.power.situation import Gate

NOW = 1_700_000_000.0
LIMITS = Recovery()
OPEN = Breaker("a")
BY_HAND: tuple[Cause, ...] = ("boot", "administrator")
PASSING: tuple[Cause, ...] = ("capacity", "rejected", "unreachable")

seconds = st.floats(1, 86_400)
limits = st.builds(
    lambda first, times: Recovery(close_seconds=first, longest_close_seconds=first * times),
    st.floats(1, 3600),
    st.floats(1, 100),
)
causes = st.sampled_from(PASSING)


def refused(breaker: Breaker = OPEN, now: float = NOW, limits: Recovery = LIMITS) -> Breaker:
    return after_refusal(breaker, "capacity", "none left", now, limits)


def test_the_causes_are_all_thought_of() -> None:
    assert {*BY_HAND, *PASSING, ""} == set(get_args(Cause))


def test_a_refusal_closes_the_pool_and_says_why() -> None:
    assert refused() == Breaker("a", Gate.CLOSED, "capacity", "none left", NOW, NOW + 60, 60)


def test_refusals_of_calls_that_ran_beside_change_nothing() -> None:
    assert refused(refused(), now=NOW + 30) == refused()


@given(limits=limits, times=st.integers(2, 12), cause=causes)
def test_each_closing_lasts_twice_as_long_up_to_the_longest(limits: Recovery, times: int, cause: Cause) -> None:
    breaker, now, lengths = Breaker("a"), NOW, []
    for _ in range(times):
        breaker = after_refusal(breaker, cause, "", now, limits)
        assert breaker.until is not None
        lengths.append(breaker.until - now)
        now = breaker.until
        breaker = in_time(breaker, now, limits)
        assert breaker.gate is Gate.HALF_OPEN
    expected = [min(limits.close_seconds * 2**step, limits.longest_close_seconds) for step in range(times)]
    assert lengths == pytest.approx(expected, abs=1e-3)


@given(limits=limits, waited=seconds)
def test_a_pool_that_opened_by_itself_closes_for_longer_when_it_fails_again(limits: Recovery, waited: float) -> None:
    first = refused(limits=limits)
    assert first.until is not None
    opened = in_time(in_time(first, first.until, limits), first.until + limits.close_seconds + waited, limits)
    assert (opened.gate, opened.cause, opened.text, opened.until) == (Gate.OPEN, "", "", None)
    assert refused(opened, limits=limits).seconds == min(2 * first.seconds, limits.longest_close_seconds)


@given(cause=causes, failures=st.integers(0, 9))
def test_a_vm_that_was_made_opens_the_pool_and_forgets(cause: Cause, failures: int) -> None:
    closed = after_refusal(Breaker("a", boot_failures=failures), cause, "x", NOW, LIMITS)
    for gate in Gate:
        assert after_success(structs.replace(closed, gate=gate)) == Breaker("a", boot_failures=failures)


@given(waited=seconds)
def test_a_closed_pool_stays_closed_until_its_time(waited: float) -> None:
    breaker = refused()
    assert (in_time(breaker, NOW + waited, LIMITS) == breaker) is (waited < 60)


def test_a_half_open_pool_that_nobody_tried_opens() -> None:
    half = in_time(refused(), NOW + 60, LIMITS)
    assert (half.gate, half.cause) == (Gate.HALF_OPEN, "capacity")
    assert in_time(half, NOW + 119, LIMITS) == half
    assert in_time(half, NOW + 120, LIMITS).gate is Gate.OPEN


@given(jumps=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=5), cause=causes)
def test_a_clock_that_jumps_closes_no_pool_for_ever(jumps: list[float], cause: Cause) -> None:
    breaker, now = after_refusal(Breaker("a"), cause, "", NOW, LIMITS), NOW
    for jump in jumps:
        now += jump
        breaker = in_time(breaker, now, LIMITS)
    # Once the clock goes as it should, a pool is open after its time and the time that one node was let through.
    for _ in range(int((60 + 60) / 15) + 1):
        now += 15
        breaker = in_time(breaker, now, LIMITS)
    assert breaker.gate is Gate.OPEN or (breaker.until is not None and breaker.until - now <= 60)
    for _ in range(int((60 + 60) / 15) + 1):
        now += 15
        breaker = in_time(breaker, now, LIMITS)
    assert breaker.gate is Gate.OPEN


@given(back=st.floats(0.001, 1e9))
def test_a_clock_that_was_set_back_opens_no_pool(back: float) -> None:
    set_back = in_time(refused(), NOW - back, LIMITS)
    assert set_back.gate is Gate.CLOSED
    assert set_back.until is not None
    assert 0 <= set_back.until - (NOW - back) <= 60.001


@given(waited=st.floats(-1e9, 1e12), cause=st.sampled_from(BY_HAND))
def test_what_somebody_must_open_no_time_and_no_vm_opens(waited: float, cause: Cause) -> None:
    closed = after_refusal(Breaker("a"), cause, "look at it", NOW, LIMITS)
    assert (closed.gate, closed.until) == (Gate.CLOSED, None)
    assert in_time(closed, NOW + waited, LIMITS) == closed
    assert after_success(closed) == closed
    assert after_refusal(closed, "capacity", "x", NOW + waited, LIMITS) == closed
    assert opened_by_hand(closed) == Breaker("a")


def test_so_many_boot_failures_in_a_row_close_the_pool() -> None:
    breaker = Breaker("a")
    for failure in range(LIMITS.boot_failures):
        assert breaker.gate is Gate.OPEN, failure
        breaker = after_boot_failure(breaker, "10 VMs never came up", NOW, LIMITS)
    assert (breaker.gate, breaker.cause, breaker.until) == (Gate.CLOSED, "boot", None)
    assert breaker.text == "10 VMs never came up"


def test_a_node_that_came_up_ends_the_row() -> None:
    breaker = Breaker("a", boot_failures=LIMITS.boot_failures - 1)
    assert after_boot_failure(after_boot(breaker), "x", NOW, LIMITS).gate is Gate.OPEN


def test_a_vm_that_was_made_does_not_end_the_row() -> None:
    breaker = Breaker("a", boot_failures=LIMITS.boot_failures - 1)
    assert after_boot_failure(after_success(breaker), "x", NOW, LIMITS).gate is Gate.CLOSED


@pytest.mark.parametrize("gate", Gate)
def test_by_hand_a_pool_is_closed_and_opened_whatever_it_was(gate: Gate) -> None:
    closed = closed_by_hand(structs.replace(refused(), gate=gate, boot_failures=3), "maintenance", NOW)
    assert (closed.gate, closed.cause, closed.text) == (Gate.CLOSED, "administrator", "maintenance")
    assert in_time(closed, NOW + 1e9, LIMITS) == closed
    assert opened_by_hand(closed) == Breaker("a")
