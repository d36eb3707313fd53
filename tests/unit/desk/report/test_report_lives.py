"""How long VMs lived, as the events and the ledger tell it."""

import random
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.desk.report.events import HOUR, NOW, SINCE, a_manifest, an_entry, event, figures, node, pool_of
from xio_slurm.desk.event_log import Event
from xio_slurm.desk.report.figures import BINS, Period

KINDS: Final = (
    "asking",
    "asked",
    "adopted",
    "registered",
    "refused",
    "deleting",
    "deleted",
    "gone",
    "called",
    "failed",
)


def test_a_vm_counts_from_asked_to_gone() -> None:
    found = figures([event(2, "asking"), event(2, "asked"), event(3, "deleting"), event(3.5, "gone")])
    amd = pool_of(found)
    assert amd.load.hours == pytest.approx(1.5)
    assert (amd.load.vms, amd.load.peak) == (1, 1)
    assert amd.load.average[2:5] == pytest.approx((1, 0.5, 0))
    assert amd.load.most[1:5] == (0, 1, 1, 0)
    assert (found.estimates.begins, found.estimates.ends, found.estimates.clock) == (0, 0, 0)


def test_one_that_began_before_the_period_counts_within_it() -> None:
    found = figures([event(-3, "asked"), event(2, "gone")])
    assert pool_of(found).load.hours == pytest.approx(2)
    assert (pool_of(found).asked, found.estimates.begins) == (0, 0)


def test_one_of_which_nothing_tells_the_beginning_is_estimated() -> None:
    early = event(-20, "asked", about=node("intel"))
    found = figures([early, event(-19, "gone", about=node("intel")), event(5, "deleting"), event(6, "gone")])
    assert pool_of(found).load.hours == pytest.approx(6)
    assert (found.estimates.begins, found.estimates.noted_since) == (1, None)


def test_nothing_counts_from_before_the_first_event() -> None:
    found = figures([event(5, "deleting"), event(5.25, "gone")])
    assert pool_of(found).load.hours == pytest.approx(0.25)
    assert found.estimates.noted_since == SINCE + 5 * HOUR


def test_one_that_lives_counts_until_now() -> None:
    found = figures([event(160, "asked")], an_entry(160))
    assert pool_of(found).load.hours == pytest.approx(8)
    assert (found.estimates.living, found.estimates.ends) == (1, 0)


def test_one_that_only_the_ledger_knows_counts_too() -> None:
    found = figures([], an_entry(-5000))
    assert pool_of(found).load.hours == pytest.approx(168)
    assert set(pool_of(found).load.most) == {1}
    assert figures([], an_entry(1, "asking")).total.load.vms == 0
    assert figures([], an_entry(1, "foreign")).total.load.vms == 0


def test_one_that_the_ledger_does_not_know_ended_when_it_was_seen_last() -> None:
    found = figures([event(1, "asked"), event(2, "registered", seconds=60), event(9, "called", about="")], {})
    assert pool_of(found).load.hours == pytest.approx(1)
    assert found.estimates.ends == 1


def test_without_a_ledger_it_is_taken_to_live() -> None:
    assert figures([event(160, "asked")], None).total.load.hours == pytest.approx(8)


def test_an_end_after_the_period_says_how_long_it_lived_within() -> None:
    period = Period(SINCE, SINCE + 84 * HOUR)
    found = figures([event(80, "asked"), event(100, "gone"), event(100, "registered")], {}, period=period)
    assert found.total.load.hours == pytest.approx(4)
    assert (found.estimates.ends, found.estimates.living) == (0, 0)


def test_an_ask_ends_the_vm_before() -> None:
    found = figures([event(1, "asked"), event(2, "deleting"), event(3, "asking"), event(3, "asked"), event(4, "gone")])
    assert found.total.load.hours == pytest.approx(3)
    assert (found.total.load.vms, found.estimates.ends) == (2, 0)


def test_a_refused_node_has_no_vm() -> None:
    found = figures([event(1, "asking"), event(1, "refused", code="capacity"), event(2, "deleting"), event(3, "gone")])
    assert found.total.load.vms == 0


def test_a_lost_answer_counts_from_the_ask() -> None:
    found = figures([event(1, "asking"), event(2, "adopted"), event(3, "gone")])
    assert found.total.load.hours == pytest.approx(2)


def test_a_clock_that_was_set_back_takes_no_hours_away() -> None:
    far = [event(10, "asked"), event(5, "gone")]
    found = figures([*far, *(event(6 + number, "called", about="") for number in range(5))])
    assert found.total.load.hours >= 0
    assert figures([event(5000, "asked"), event(5, "gone")]).total.load.hours >= 0


def test_one_after_the_other_is_one_at_a_time() -> None:
    chain = [event(hour + part, kind) for hour in range(9) for part, kind in ((0.001, "asked"), (1, "gone"))]
    assert set(figures(chain).total.load.most[:9]) == {1}


def test_nothing_is_nothing() -> None:
    found = figures([])
    assert (found.total.load.hours, found.total.load.peak, found.total.boots, found.kinds) == (0, 0, None, ())


def test_a_price_makes_a_cost() -> None:
    events = [
        event(0, "asked"),
        event(10, "gone"),
        event(1, "asked", about=node("intel")),
        event(2, "gone", about=node("intel")),
    ]
    found = figures(events, manifest=a_manifest(amd=0.5))
    assert pool_of(found).cost == pytest.approx(5)
    assert pool_of(found, "intel").cost is None
    assert found.total.cost == pytest.approx(5)
    assert figures(events).total.cost is None


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Anything at all about a few nodes, in the order of the times."""
    times = draw(st.lists(st.integers(-30 * 4, 170 * 4).map(lambda quarter: quarter / 4), max_size=40))
    names = st.sampled_from([node(), node(number=2), node("intel")])
    return [
        event(
            hours,
            draw(st.sampled_from(KINDS)),
            about=draw(names),
            seconds=draw(st.sampled_from([0, 12.5, -4, 5000])),
            code="boot",
            run=str(number),
        )
        for number, hours in enumerate(sorted(times))
    ]


@settings(deadline=None, max_examples=150)
@given(histories(), st.sampled_from([None, {}, an_entry(-5), an_entry(100, "deleting", about=node("intel"))]))
def test_whatever_happened_the_sums_are_sums(events: list[Event], ledger: object) -> None:
    found = figures(events, ledger)  # type: ignore[arg-type]
    total = found.total.load
    for pool in found.pools:
        load = pool.load
        assert load.hours >= 0
        assert sum(load.average) * (NOW - SINCE) / BINS / HOUR == pytest.approx(load.hours, abs=1e-6)
        assert all(high >= low - 1e-5 for high, low in zip(load.most, load.average, strict=True))
    assert total.hours == pytest.approx(sum(pool.load.hours for pool in found.pools), abs=1e-6)
    assert total.vms == sum(pool.load.vms for pool in found.pools)
    boots = found.total.boots
    assert boots is None or boots.count == sum(found.total.histogram)
    assert found.total.failed == sum(kind.count for kind in found.kinds if kind.start)


@settings(deadline=None, max_examples=100)
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_lines_of_one_time_does_not_matter(events: list[Event], chance: random.Random) -> None:
    shuffled = [*events]
    chance.shuffle(shuffled)
    assert figures(sorted(shuffled, key=lambda each: each.time)) == figures(events)


@settings(deadline=None, max_examples=100)
@given(histories(), st.randoms(use_true_random=False))
def test_lines_that_come_a_little_late_do_not_matter(events: list[Event], chance: random.Random) -> None:
    late = sorted(events, key=lambda each: each.time + chance.uniform(0, 299))
    assert figures(late) == figures(events)
