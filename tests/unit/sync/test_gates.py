"""What a look does to a breaker."""

from collections.abc import Callable

from xio_slurm.manifest import Manifest
from xio_slurm.power.breaker import EVERY_POOL, Breaker
from xio_slurm.power.situation import Gate
from xio_slurm.power.sync.gates import after_look

UNREACHABLE = Breaker(EVERY_POOL, Gate.CLOSED, "unreachable", "no answer", since=100.0, until=160.0, seconds=60.0)
FULL = Breaker("a", Gate.CLOSED, "capacity", "none left", since=100.0, until=160.0, seconds=60.0)


def test_the_emss_opens_when_the_ems_answers(manifest: Callable[..., Manifest]) -> None:
    limits = manifest().recovery
    assert after_look(UNREACHABLE, 110.0, limits, listed=True) == Breaker(EVERY_POOL)
    assert after_look(UNREACHABLE, 10_000.0, limits, listed=False) == UNREACHABLE


def test_an_answer_from_before_it_closed_does_not_open_it(manifest: Callable[..., Manifest]) -> None:
    assert after_look(UNREACHABLE, 99.0, manifest().recovery, listed=True).gate is Gate.CLOSED


def test_a_pools_opens_in_time_whatever_the_list_says(manifest: Callable[..., Manifest]) -> None:
    limits = manifest().recovery
    for listed in (True, False):
        assert after_look(FULL, 159.0, limits, listed=listed) == FULL
        assert after_look(FULL, 160.0, limits, listed=listed).gate is Gate.HALF_OPEN


def test_what_a_person_closed_stays_closed(manifest: Callable[..., Manifest]) -> None:
    by_hand = Breaker(EVERY_POOL, Gate.CLOSED, "administrator", "maintenance", since=100.0)
    assert after_look(by_hand, 10_000.0, manifest().recovery, listed=True) == by_hand
