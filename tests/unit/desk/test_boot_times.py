"""How long VMs took to boot, from the events."""

import json
import random
from pathlib import Path

import pytest

from xio_slurm.desk.boot_times import RecentBoots, boot_times, quantile

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("values", "p50", "p95"),
    [([7], 7, 7), ([1, 9], 1, 9), ([1, 2, 3], 2, 3), (range(1, 101), 50, 95), (range(1, 21), 10, 19)],
)
def test_percentiles_are_values_that_there_were(values: list[float], p50: float, p95: float) -> None:
    times = boot_times(random.Random(1).sample(list(values), len(values)))
    assert times is not None
    assert (times.p50, times.p95) == (p50, p95)


def test_of_nothing_there_are_none() -> None:
    assert boot_times([]) is None


def test_so_many_dont_exceed_it() -> None:
    ordered = sorted(random.Random(2).random() for _ in range(333))
    for part in (0.01, 0.5, 0.9, 0.95, 1.0):
        assert sum(value <= quantile(ordered, part) for value in ordered) >= part * len(ordered)
        assert sum(value < quantile(ordered, part) for value in ordered) < part * len(ordered)


def note(folder: Path, time: float, node: str, seconds: float | None, kind: str = "registered") -> None:
    line = {"time": time, "event": kind, "program": "xio-sync", "run": "r", "node": node, "pool": "a"}
    line |= {} if seconds is None else {"seconds": seconds}
    with (folder / "events.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def test_the_last_day_counts_and_each_boot_once(tmp_path: Path) -> None:
    note(tmp_path, NOW - 90_000, "n1", 11)
    note(tmp_path, NOW - 80_000, "n1", 22)
    note(tmp_path, NOW - 50, "n1", 33)
    note(tmp_path, NOW - 40, "n2", None)
    note(tmp_path, NOW - 40, "n2", 1, kind="asked")
    boots = RecentBoots(str(tmp_path))
    assert boots.look(NOW) == ({"a": [22, 33]}, ())
    note(tmp_path, NOW - 1, "n2", 44)
    note(tmp_path, NOW + 2, "n3", 55)
    assert boots.look(NOW + 2) == ({"a": [22, 33, 44, 55]}, ())
    assert boots.look(NOW + 86_000) == ({"a": [33, 44, 55]}, ())


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").mkdir()
    found, problems = RecentBoots(str(tmp_path)).look(NOW)
    assert found == {}
    assert len(problems) == 1
    assert RecentBoots(str(tmp_path / "none")).look(NOW) == ({}, ())
