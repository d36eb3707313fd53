"""The story as a whole: its moments, what is said of what could not be seen, and what a name means."""

import json
from dataclasses import replace
from typing import Any, get_args

import pytest
from msgspec import structs

from tests.unit.desk.sights import (
    BOOTING,
    BOOTS,
    MANIFEST,
    NODE,
    NOW,
    POOL,
    entry,
    event,
    job,
    node,
    of_job,
    of_node,
    running,
    vm,
)
from xio_slurm.desk.event_kinds import KINDS
from xio_slurm.desk.looks import Unseen
from xio_slurm.desk.story.conclusion import clock, duration
from xio_slurm.desk.story.failed_starts import MEANINGS, remedy
from xio_slurm.desk.story.seen import NodeSeen
from xio_slurm.desk.story.subjects import Kind, UnknownNameError, subject_of
from xio_slurm.desk.story.telling import story
from xio_slurm.desk.story.timeline import WORDS
from xio_slurm.power.failures import TREATMENTS


def test_every_way_a_start_fails_has_its_words() -> None:
    assert {*MEANINGS} == {*TREATMENTS}
    for code in TREATMENTS:
        assert all(remedy(code, NODE, POOL))


def test_every_kind_of_event_has_its_words() -> None:
    assert {*WORDS} == {*KINDS}
    for kind, words in WORDS.items():
        fields = {name for name in ("event", *KINDS[kind].fields) if f"{{{name}}}" in words}
        assert words.count("{") == len(fields), kind


def test_the_timeline_is_in_order_and_ends_now() -> None:
    events = (
        event("wanted", 50, name="", job="12", hostlist=NODE),
        event("asking", 40.0),
        event("refused", 39.0, code="capacity", text="none left"),
        event("failed", 38.0, code="capacity", text="none left"),
        event("told", 37.0, state="DOWN", reason="xio:capacity none left"),
        event("closed", 36.0, name="", pool="all", cause="unreachable", text="none"),
        event("of-a-newer-release", 20.0),
    )
    sight = of_node(nodes=(node(BOOTING),), jobs=(running(state="CONFIGURING", since=45),), events=events)
    moments = story(sight).moments
    assert [moment.time for moment in moments] == sorted(moment.time for moment in moments)
    past = [(NOW - moment.time, moment.source, moment.words) for moment in moments if moment.time < NOW]
    assert past == [
        (60, "Slurm", "job 12 of ann was submitted"),
        (50, "xio-resume", f"job 12 wants {NODE}"),
        (45, "Slurm", "job 12 was given 1 node"),
        (40, "xio-resume", "asks the EMS for the VM"),
        (39, "xio-resume", "the EMS makes no VM: xio:capacity none left"),
        (37, "xio-resume", "told Slurm: DOWN xio:capacity none left"),
        (36, "xio-resume", "all pools closed: unreachable none"),
        (20, "xio-resume", "of-a-newer-release"),
    ]
    assert [moment.source for moment in moments if moment.time == NOW] == ["Slurm", "ledger", "EMS"]


@pytest.mark.parametrize("ago", [39.6, 0.5])
def test_a_requeue_comes_after_what_led_to_it_in_the_same_second(ago: float) -> None:
    refused = event("refused", ago, code="capacity", text="none left")
    requeued = job(restarts=1, submitted=float(int(NOW - ago)))
    moments = story(of_job(requeued, events=(refused,))).moments
    assert [moment.words for moment in moments if moment.source in {"xio-resume", "Slurm"}][:2] == [
        f"{NODE}: the EMS makes no VM: xio:capacity none left",
        "job 12 of ann was requeued",
    ]


def test_what_no_event_tells_the_ledger_does() -> None:
    sight = of_node(**BOOTS, near=(entry("ours", 30), vm()))
    assert (NOW - 30, "ledger", "the EMS was asked for the VM") in [
        (moment.time, moment.source, moment.words) for moment in story(sight).moments
    ]
    noted = replace(sight, events=(event("asking", 30.5),))
    assert sum("asked for the VM" in moment.words for moment in story(noted).moments) == 0


def test_what_could_not_be_seen_is_said() -> None:
    blind: dict[str, Any] = dict.fromkeys(("nodes", "jobs", "breakers", "heartbeat", "proposals"), Unseen("hangs"))
    sight = replace(of_node(), **blind, near={NODE: NodeSeen(Unseen("a"), Unseen("b"))}, events_problem="c")
    told = story(sight)
    assert len(told.unseen) == 8
    assert "the VM of xspot-vm-amd-1 couldn't be seen: b" in told.unseen
    assert json.dumps([moment.words for moment in told.moments])


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [(NODE, None, "node"), (POOL, None, "pool"), ("12", None, "job"), ("12_3", None, "job"), ("12", "job", "job")],
)
def test_a_name_says_what_it_is(name: str, kind: Kind | None, found: str) -> None:
    assert subject_of(name, MANIFEST, kind).kind == found
    assert found in get_args(Kind)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("amds", "did you mean amd"),
        ("xspot-vm-amd-3", "pool amd has the nodes 1 to 2"),
        ("xspot-vm-amd-[1-2]", "name one node"),
        ("zzz", "xio pool list"),
        ("0", "xio pool list"),
    ],
)
def test_an_unknown_name_is_helped(name: str, words: str) -> None:
    with pytest.raises(UnknownNameError, match=words.replace("[", r"\[")):
        subject_of(name, MANIFEST)


def test_a_name_of_two_things_must_be_settled() -> None:
    manifest = structs.replace(MANIFEST, pools=(structs.replace(MANIFEST.pools[0], name="12"),))
    with pytest.raises(UnknownNameError, match="12: is a pool and a job: say which with --as pool or --as job"):
        subject_of("12", manifest)
    assert subject_of("12", manifest, "pool").kind == "pool"


def test_times_are_for_people() -> None:
    assert [duration(each) for each in (-1, 119.4, 120, 7199, 7200, 48 * 3600)] == [
        "0 s", "119 s", "2 min", "119 min", "2 h", "2 days",
    ]  # fmt: skip
    assert len(clock(NOW, NOW)) == 8
    assert len(clock(NOW - 86_400, NOW)) == 19
