"""How many requests go side by side, against an EMS that bears so many and no more."""

import heapq
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_mock import MockerFixture

from xio_slurm.deadline import Deadline
from xio_slurm.ems.flow import Flow

KIND = "POST /v1/xcompute"
MOST = 32


class Ems:
    """Answers in ``seconds``; with more than ``bears`` requests at once it says 503, or takes so much longer."""

    def __init__(self, mocker: MockerFixture, *, bears: int, seconds: float = 0.2, slows: bool = False) -> None:
        self.now = 100.0
        self.bad = 0
        self._bears, self._seconds, self._slows = bears, seconds, slows
        mocker.patch("xio_slurm.ems.flow.time.monotonic", side_effect=lambda: self.now)

    def serve(self, flow: Flow, requests: int) -> Iterator[int]:
        """The flow's limit after each answer."""
        on_their_way: list[tuple[float, int, Iterator[None]]] = []
        for number in range(requests):
            while len(on_their_way) >= flow.limit:
                yield self._answer(flow, on_their_way)
            load = len(on_their_way) + 1
            too_much = load > self._bears
            self.bad += too_much
            seconds = self._seconds * (load / self._bears if too_much and self._slows else 1)
            turn = self._turn(flow, 503 if too_much and not self._slows else 200)
            next(turn)
            heapq.heappush(on_their_way, (self.now + seconds, number, turn))
        while on_their_way:
            yield self._answer(flow, on_their_way)

    def _answer(self, flow: Flow, on_their_way: list[tuple[float, int, Iterator[None]]]) -> int:
        self.now, _, turn = heapq.heappop(on_their_way)
        next(turn, None)
        return flow.limit

    def _turn(self, flow: Flow, status: int) -> Iterator[None]:
        with flow.turn(KIND, Deadline(self.now + 60)) as turn:
            yield
            turn.status = status


def test_a_strong_ems_is_used_to_the_full_after_its_first_answers(mocker: MockerFixture) -> None:
    ems, flow = Ems(mocker, bears=MOST), Flow(MOST)
    limits = list(ems.serve(flow, 1000))
    assert limits[15] == MOST == min(limits[15:])
    assert ems.now - 100.0 <= 1.1 * 0.2 * 1000 / MOST


@pytest.mark.parametrize("bears", [6, 10, 20])
def test_a_weak_ems_is_not_run_over(mocker: MockerFixture, bears: int) -> None:
    ems, flow = Ems(mocker, bears=bears), Flow(MOST)
    limits = list(ems.serve(flow, 2000))
    assert ems.bad < 300  # with 32 at a time it were most of them
    assert max(limits[100:]) <= bears + 1
    assert ems.now - 100.0 <= 2 * 0.2 * 2000 / bears


def test_an_ems_that_only_gets_slow_is_given_less_but_not_little(mocker: MockerFixture) -> None:
    ems, flow = Ems(mocker, bears=2, seconds=0.5, slows=True), Flow(MOST)
    limits = list(ems.serve(flow, 500))[100:]
    assert MOST // 4 <= min(limits) <= max(limits) <= MOST // 4 + 1


def test_long_answers_alone_are_no_sign(mocker: MockerFixture) -> None:
    ems, flow = Ems(mocker, bears=MOST, seconds=9.0), Flow(MOST)
    assert list(ems.serve(flow, 200))[-1] == MOST


def test_one_bad_moment_counts_once(mocker: MockerFixture) -> None:
    ems, flow = Ems(mocker, bears=MOST), Flow(MOST)
    list(ems.serve(flow, 100))
    with flow.turn(KIND, Deadline(ems.now + 1)), flow.turn(KIND, Deadline(ems.now + 1)):
        ems.now += 1
    assert flow.limit == MOST // 2


@given(st.lists(st.sampled_from([200, 404, 429, 503, None]), max_size=300), st.integers(1, 64))
def test_whatever_is_answered_some_are_let_through_and_never_more_than_the_most(
    answers: list[int | None], most: int
) -> None:
    flow = Flow(most)
    for status in answers:
        with flow.turn(KIND, Deadline.after(0)) as turn:
            turn.status = status
        assert max(1, most // 8) <= flow.limit <= most


def test_no_more_than_the_limit_are_on_their_way_in_threads() -> None:
    flow, seen, at_once = Flow(8), [], threading.Semaphore(8)

    def ask() -> None:
        with flow.turn(KIND, Deadline.after(30)) as turn:
            seen.append(at_once.acquire(blocking=False))
            time.sleep(0.002)
            at_once.release()
            turn.status = 200

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert seen == [True] * 100


def test_who_waits_past_the_deadline_goes_on_and_finds_it_passed() -> None:
    flow = Flow(1)

    @contextmanager
    def one() -> Iterator[None]:
        with flow.turn(KIND, Deadline.after(10)) as turn:
            yield
            turn.status = 200

    with one():
        began = time.monotonic()
        with flow.turn(KIND, Deadline.after(0.05)):
            assert 0.04 < time.monotonic() - began < 5
