"""What Prometheus is told: by the readers of both formats, and by what has been counted."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as of_plain_text

from tests.open_metrics import families_of
from tests.unit.desk.looks import BOOTING, NOW, OFF, cluster, entry, look, node, state
from xio_slurm.desk.event_log import Event
from xio_slurm.desk.metrics.exposition import Family, Sample, exposition
from xio_slurm.desk.metrics.families import families
from xio_slurm.desk.metrics.totals import BUCKETS, Totals
from xio_slurm.desk.status import status_of
from xio_slurm.power.breaker import Breaker
from xio_slurm.power.situation import Gate

PROMTOOL = "/usr/bin/promtool"
ODD = 'a "b" \\ c\nd'
MANIFEST = cluster("a", "b")


def event(kind: str, program: str = "xio-resume", **details: Any) -> Event:
    """One that happened."""
    known = {"time": NOW, "event": kind, "program": program, "run": "r", **details}
    return Event(NOW, kind, program, "r", details.get("node", ""), details.get("pool", ""), known)


def totals_of(*events: Event) -> Totals:
    totals = Totals()
    totals.fold(events, MANIFEST)
    return totals


def everything(totals: Totals | None = None) -> tuple[Family, ...]:
    """All metrics of a cluster where something of everything goes on."""
    one, two, three = node("a", 1), node("a", 2), node("b", 1)
    seen = look(
        MANIFEST,
        state(one, BOOTING),
        state(two, "ALLOCATED+CLOUD"),
        state(three, OFF),
        vms=frozenset({one, two, three}),
        entries=[entry(one, "ours", 12), entry(two, "ours", 90), entry(three, "ours", 900, "b")],
        breakers=[Breaker("b", Gate.CLOSED, "capacity", "x", NOW, NOW + 60)],
    )
    return families(MANIFEST, status_of(MANIFEST, seen, {}), totals or Totals())


def values(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample, read as OpenMetrics."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families_of(text)
        for sample in family.samples
    }


def of(text: str, name: str, **labels: str) -> float:
    return values(text)[name, frozenset(labels.items())]


@pytest.mark.parametrize("typed", [False, True])
def test_it_is_open_metrics_whatever_the_labels_are(typed: bool) -> None:
    family = Family("xio_asked", "counter", ODD, (Sample("_total", {"pool": ODD}, 1.5),))
    text = exposition([family, Family("xio_none", "gauge", "Nothing.", ())], typed=typed)
    assert values(text) == {("xio_asked_total", frozenset({("pool", ODD)})): 1.5}
    (first, _) = families_of(text)
    assert first.type == ("counter" if typed else "unknown")
    assert first.documentation == ODD


def test_both_texts_say_the_same() -> None:
    found = everything(totals_of(event("registered", pool="a", seconds=44.5)))
    assert values(exposition(found)) == values(exposition(found, typed=True))
    plain = [sample for family in of_plain_text(exposition(found)) for sample in family.samples]
    assert len(plain) == len(values(exposition(found)))


def test_promtool_accepts_it() -> None:
    text = exposition(everything(totals_of(event("registered", pool="a", seconds=44.5))))
    done = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_seen_now() -> None:
    text = exposition(everything())
    assert of(text, "xio_slurm_up") == of(text, "xio_ems_up") == of(text, "xio_sync_alive") == 1
    assert of(text, "xio_looked_timestamp_seconds") == NOW
    assert of(text, "xio_nodes", pool="a", state="booting") == 1
    assert of(text, "xio_nodes", pool="a", state="up") == of(text, "xio_nodes", pool="a", state="busy") == 1
    assert of(text, "xio_vms", pool="a") == 2
    assert of(text, "xio_orphans", pool="b") == 1
    assert of(text, "xio_orphans", pool="a") == 0
    assert of(text, "xio_mismatches", pool="b") == 1
    assert of(text, "xio_pool_gate", pool="b", gate="closed") == of(text, "xio_pool_gate", pool="a", gate="open") == 1
    assert of(text, "xio_pool_gate", pool="b", gate="open") == 0
    assert of(text, "xio_oldest_boot_seconds", pool="a") == 12
    assert of(text, "xio_boot_timeout_seconds", pool="a") == 18


def test_what_is_not_known_has_no_sample() -> None:
    seen = look(MANIFEST, state(node("a", 1), OFF), vms=None)
    text = exposition(families(MANIFEST, status_of(MANIFEST, seen, {}), Totals()))
    assert of(text, "xio_ems_up") == 0
    assert {"xio_vms", "xio_orphans", "xio_mismatches"}.isdisjoint(name for name, _ in values(text))


def test_labels_are_pools_codes_and_words_and_never_a_node_or_a_job() -> None:
    events = [event("asked", node=node("a", 1), pool="a"), event("held", job="4711_3", comment="xio: x")]
    labels = {label for _, pairs in values(exposition(everything(totals_of(*events)))) for label in pairs}
    assert {name for name, _ in labels} == {"pool", "state", "gate", "code", "le"}
    assert not any(value.startswith("xspot") or "4711" in value for _, value in labels)


def test_events_are_counted() -> None:
    text = exposition(
        everything(
            totals_of(
                event("asked", pool="a", seconds=0.1),
                event("asked", node=node("a", 2)),
                event("refused", pool="a", code="capacity"),
                event("refused", pool="a", code="what nobody knows"),
                event("boot-failed", pool="b", program="xio-resume-fail"),
                event("failed", "xio-sync", pool="b", code="boot"),
                event("failed", "xio-sync", pool="b", code="foreign"),
                event("failed", pool="b", code="capacity"),
                event("deleted", "xio-sync", pool="a"),
                event("deleted", "xio-vm", pool="a"),
                event("closed", pool="all", cause="unreachable"),
                event("closed", pool="a", cause="boot"),
                event("held", job="12"),
                event("asked", pool="of another file"),
                event("registered", pool="of another file", seconds=3),
            )
        )
    )
    assert of(text, "xio_asked_total", pool="a") == 2
    assert of(text, "xio_refused_total", pool="a", code="capacity") == 1
    assert of(text, "xio_refused_total", pool="a", code="ems") == 1
    assert of(text, "xio_boot_failures_total", pool="b") == 2
    assert of(text, "xio_orphans_deleted_total", pool="a") == 1
    assert of(text, "xio_pool_closings_total", pool="all", code="unreachable") == 1
    assert of(text, "xio_pool_closings_total", pool="a", code="boot") == 1
    assert of(text, "xio_held_jobs_total") == 1
    assert not any(("pool", "of another file") in labels for _, labels in values(text))


def test_every_series_is_there_before_something_happens() -> None:
    before = values(exposition(everything()))
    events = [event(kind, "xio-sync", pool="a", code="boot", cause="boot", seconds=1) for kind in KINDS]
    assert before.keys() == values(exposition(everything(totals_of(*events)))).keys()


KINDS = ("asked", "refused", "boot-failed", "failed", "deleted", "closed", "held", "registered")


def test_seconds_to_boot_are_a_histogram() -> None:
    seconds = [14.9, 15.0, 15.1, 100.0, 5000.0, float("nan")]
    text = exposition(everything(totals_of(*(event("registered", pool="a", seconds=each) for each in seconds))))
    buckets = {"15.0": 2, "30.0": 3, "90.0": 3, "120.0": 4, "900.0": 4, "+Inf": 5}
    for bucket, count in buckets.items():
        assert of(text, "xio_boot_seconds_bucket", pool="a", le=bucket) == count
    assert of(text, "xio_boot_seconds_count", pool="a") == 5
    assert of(text, "xio_boot_seconds_sum", pool="a") == pytest.approx(5145.0)


def some() -> Iterator[Event]:
    for number in range(40):
        yield event("refused", pool="ab"[number % 2], code="capacity")
        yield event("registered", pool="a", seconds=float(number * 10))


def test_totals_are_kept_as_they_are() -> None:
    totals = totals_of(*some())
    again = Totals.of(totals.document())
    assert again == totals
    again.fold(some(), MANIFEST)
    assert again.counts["refused", "a", "capacity"] == 40


def test_boots_of_other_buckets_are_forgotten_and_the_counts_kept() -> None:
    document = totals_of(*some()).document() | {"buckets": [1.0, 2.0]}
    again = Totals.of(document)
    assert again.boots == {}
    assert again.counts["refused", "b", "capacity"] == 20
    assert len(BUCKETS) == len(totals_of(*some()).boots["a"].counts)


def test_the_documentation_names_every_metric_with_its_labels() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "monitoring.md").read_text()
    documented = set(re.findall(r"^\| `(xio_\w+(?:\{[\w,]+\})?)` \|", page, re.MULTILINE))
    printed = set()
    for family in everything():
        labels = [name for name in family.samples[0].labels if name != "le"]
        name = f"{family.name}_total" if family.kind == "counter" else family.name
        printed.add(f"{name}{{{','.join(labels)}}}" if labels else name)
    assert documented == printed
