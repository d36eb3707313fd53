"""What watches the connections of a session: one thread, however many requests there are."""

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.ems.conftest import transport
from xio_slurm.deadline import Deadline
from xio_slurm.ems.transport import Transport
from xio_slurm.ems.watchdog import NAME, Watchdog
from xio_slurm.emulator import Emulator

LONG = 60.0


def watching() -> list[threading.Thread]:
    """The threads that watch, of all sessions."""
    return [thread for thread in threading.enumerate() if thread.name == NAME]


def comes_true(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether it does within so many seconds."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    """One whose thread is gone afterwards, and that of no other test is there before."""
    assert comes_true(lambda: watching() == [], 10)
    made = Watchdog()
    yield made
    made.close()
    assert comes_true(lambda: watching() == [])


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The two ends of a connection."""
    one, other = socket.socketpair()
    one.settimeout(10)
    with one, other:
        yield one, other


Ends = tuple[socket.socket, socket.socket]


def seconds_until_cut(watchdog: Watchdog, seconds: float) -> float:
    """How long a read of a connection without a word takes under a watch."""
    one, other = socket.socketpair()
    one.settimeout(10)
    started = time.monotonic()
    with one, other, pytest.raises(TimeoutError), watchdog.in_time(seconds, lambda: one):
        assert one.recv(1) == b""
    return time.monotonic() - started


def test_what_is_in_time_is_left_alone(watchdog: Watchdog, ends: Ends) -> None:
    one, other = ends
    with watchdog.in_time(LONG, lambda: one):
        other.sendall(b"x")
        assert one.recv(1) == b"x"
    other.sendall(b"y")
    assert one.recv(1) == b"y"


def test_a_connection_that_is_cut_is_a_timeout_whatever_the_library_finds(watchdog: Watchdog, ends: Ends) -> None:
    def cut_off() -> None:
        time.sleep(0.3)
        raise ValueError("Read on closed or unwrapped SSL socket.")

    with pytest.raises(TimeoutError), watchdog.in_time(0.1, lambda: ends[0]):
        cut_off()
    with pytest.raises(ValueError, match="SSL socket"), watchdog.in_time(10, lambda: None):
        cut_off()


@pytest.mark.parametrize("used", [None, "closed"])
def test_a_connection_that_is_not_there_is_a_timeout_too(watchdog: Watchdog, used: str | None) -> None:
    one, other = socket.socketpair()
    one.close()
    other.close()
    for _ in range(2):  # the thread has survived it
        with pytest.raises(TimeoutError), watchdog.in_time(0.05, lambda: used and one):
            time.sleep(0.2)


def test_of_many_watches_each_ends_in_its_turn_and_one_thread_sees_to_them(watchdog: Watchdog) -> None:
    moments = [0.1 + 0.01 * (number * 7 % 40) for number in range(40)]
    with ThreadPoolExecutor(41) as pool:
        most = pool.submit(_most_watching, 0.3)
        took = list(pool.map(lambda seconds: seconds_until_cut(watchdog, seconds), moments))
    assert all(seconds <= each < seconds + 5 for seconds, each in zip(moments, took, strict=True))
    assert most.result() == 1


def _most_watching(seconds: float) -> int:
    most, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        most = max(most, len(watching()))
        time.sleep(0.005)
    return most


def test_an_earlier_end_that_comes_later_is_kept(watchdog: Watchdog, ends: Ends) -> None:
    with watchdog.in_time(LONG, lambda: ends[0]):
        assert comes_true(lambda: len(watching()) == 1)
        time.sleep(0.1)  # it sleeps for a minute now
        assert 0.2 <= seconds_until_cut(watchdog, 0.2) < 5
        assert 0.1 <= seconds_until_cut(watchdog, 0.1) < 5
        assert ends[1].send(b"x") == 1


def test_a_thread_with_nothing_to_watch_ends_and_the_next_watch_has_another(watchdog: Watchdog, ends: Ends) -> None:
    for _ in range(3):
        with watchdog.in_time(0.05, lambda: ends[0]):
            pass
        assert comes_true(lambda: watching() == [])
    assert 0.1 <= seconds_until_cut(watchdog, 0.1) < 5


def test_closed_with_nothing_to_watch_its_thread_ends_at_once(watchdog: Watchdog, ends: Ends) -> None:
    with watchdog.in_time(LONG, lambda: ends[0]):
        assert len(watching()) == 1
    watchdog.close()
    assert comes_true(lambda: watching() == [])
    watchdog.close()
    assert 0.1 <= seconds_until_cut(watchdog, 0.1) < 5


def test_closed_with_something_to_watch_it_watches_on(watchdog: Watchdog) -> None:
    threading.Timer(0.1, watchdog.close).start()
    assert 0.3 <= seconds_until_cut(watchdog, 0.3) < 5
    assert comes_true(lambda: watching() == [])


def test_a_watch_that_is_over_never_ends_what_comes_after_it(watchdog: Watchdog) -> None:
    """Ends that coincide with the work's: whoever wins, the loser knows, and a connection that passed stays whole."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            cut = sum(pool.map(lambda _: _times_cut(watchdog, 400), range(4)))
    finally:
        sys.setswitchinterval(before)
    assert 0 < cut < 1600, "both must have happened"


def _times_cut(watchdog: Watchdog, times: int) -> int:
    return sum(_is_cut(watchdog, *socket.socketpair()) for _ in range(times))


def _is_cut(watchdog: Watchdog, one: socket.socket, other: socket.socket) -> bool:
    with one, other:
        one.settimeout(10)
        moment = time.monotonic() + 0.002
        try:
            with watchdog.in_time(0.002, lambda: one):
                while time.monotonic() < moment:
                    time.sleep(0.0002)
        except TimeoutError:
            assert one.recv(1) == b""
            return True
        time.sleep(0.0005)
        other.sendall(b"x")
        assert one.recv(1) == b"x"
        return False


# A session's


def ask(through: Transport) -> int:
    return through.request("GET", "/v1/xcompute/vms", Deadline.after(30)).status


def test_a_thousand_requests_have_one_thread_and_none_stays(ems_emulator: Emulator, watchdog: Watchdog) -> None:
    through = Transport(ems_emulator.url, connect_timeout=10, read_timeout=20, max_connections=8)
    before = threading.active_count()
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: ask(through), range(1000))
        seen = {(threading.active_count() <= before + 9, len(watching())) for _ in answers}
    assert seen == {(True, 1)}
    through.close()
    assert comes_true(lambda: threading.active_count() == before)


def test_after_close_a_request_is_watched_all_the_same(ems_emulator: Emulator, watchdog: Watchdog) -> None:
    through = transport(ems_emulator.url)
    for _ in range(2):
        assert ask(through) == 200
        assert len(watching()) == 1
        through.close()
        assert comes_true(lambda: watching() == [])


def test_a_session_that_was_never_used_has_no_thread(ems_emulator: Emulator, watchdog: Watchdog) -> None:
    with contextlib.closing(transport(ems_emulator.url)):
        assert watching() == []
