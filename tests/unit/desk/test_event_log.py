"""Reading the events: of rotated files, of large ones, and of such as can't be read."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from xio_slurm.desk.event_log import read_events
from xio_slurm.errors import EventsError


def line(time: float, **details: object) -> str:
    """An event as the programs write it."""
    return json.dumps({"time": time, "event": "asked", "program": "xio-resume", "run": "r", **details}) + "\n"


def times(folder: Path, since: float = 0.0) -> list[float]:
    """The times of what is read."""
    return [event.time for event in read_events(str(folder), since)]


def test_an_event_says_all_that_its_line_says(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(line(7.5, node="n-1", pool="amd", seconds=2, code="capacity"))
    (event,) = read_events(str(tmp_path), 0)
    assert (event.time, event.kind, event.program, event.run) == (7.5, "asked", "xio-resume", "r")
    assert (event.node, event.pool, event.text("code"), event.number("seconds")) == ("n-1", "amd", "capacity", 2.0)
    assert (event.text("ems_job"), event.number("code")) == ("", None)


def test_no_file_and_no_folder_are_no_events(tmp_path: Path) -> None:
    assert times(tmp_path) == times(tmp_path / "missing") == []


@pytest.mark.parametrize(
    "names", [("events.jsonl.2.gz", "events.jsonl.1"), ("events.jsonl-20260101-1.gz", "events.jsonl-20260108-2")]
)
def test_rotated_files_come_first_and_in_order(tmp_path: Path, names: tuple[str, str]) -> None:
    oldest, older = (tmp_path / name for name in names)
    oldest.write_bytes(gzip.compress((line(1) + line(2)).encode()))
    older.write_text(line(3))
    (tmp_path / "events.jsonl").write_text(line(4))
    (tmp_path / "events.jsonl.swp").write_text(line(99))
    for age, path in ((200, oldest), (100, older)):
        os.utime(path, (1e9 - age, 1e9 - age))
    assert times(tmp_path) == [1, 2, 3, 4]
    assert times(tmp_path, since=1e9 - 150) == []
    assert times(tmp_path, since=2) == [2, 3, 4]


def test_one_that_is_being_compressed_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl.1").write_text(line(1))
    (tmp_path / "events.jsonl.1.gz").write_bytes(gzip.compress(line(1).encode())[:10])
    assert times(tmp_path) == [1]


def test_one_that_is_rotated_while_it_is_listed_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(line(1))
    (tmp_path / "events.jsonl.1").hardlink_to(tmp_path / "events.jsonl")
    assert times(tmp_path) == [1]


def test_lines_that_are_no_events_are_passed_over(tmp_path: Path) -> None:
    junk = ['{"time": 1, "eve', "", "[]", "null", '{"time": "x", "event": "asked"}', '{"event": "asked"}', "[" * 99_999]
    text = "\n".join(junk) + "\n" + line(2) + "x" * 200_000 + "\n" + line(3) + "\x00\xff\n" + line(4)
    (tmp_path / "events.jsonl").write_bytes(text.encode("latin-1"))
    assert times(tmp_path) == [2, 3, 4]


@pytest.mark.parametrize("since", [0, 1, 5_000, 39_999, 40_000])
def test_a_large_file_is_read_from_where_it_matters(tmp_path: Path, since: int) -> None:
    (tmp_path / "events.jsonl").write_text("".join(line(time, why="w" * 50) for time in range(40_000)))
    assert times(tmp_path, since) == [*range(since, 40_000)]


@pytest.mark.parametrize("late", [200, 290])
def test_what_comes_a_little_late_is_found_all_the_same(tmp_path: Path, late: int) -> None:
    ordered = [float(time) for time in range(4_000)]
    ordered[2_000 - late], ordered[2_000] = ordered[2_000], ordered[2_000 - late]
    (tmp_path / "events.jsonl").write_text("".join(line(time, why="w" * 1_000) for time in ordered))
    assert len(times(tmp_path, 2_000)) == 2_000


def _a_pipe(path: Path) -> None:
    os.mkfifo(path)


def _a_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [_a_pipe, _a_folder])
def test_what_is_no_file_is_told_and_never_waited_for(tmp_path: Path, make: Callable[[Path], None]) -> None:
    (tmp_path / "events.jsonl.1").write_text(line(1))
    make(tmp_path / "events.jsonl")
    events = read_events(str(tmp_path), 0)
    assert next(events).time == 1
    with pytest.raises(EventsError, match="isn't a plain file"):
        next(events)


def test_a_file_that_was_cut_off_gives_what_it_has_and_the_others_come_too(tmp_path: Path) -> None:
    text = "".join(line(time, why=os.urandom(30).hex()) for time in range(2_000))
    packed = gzip.compress(text.encode())
    (tmp_path / "events.jsonl.1.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "events.jsonl").write_text(line(5_000))
    found: list[float] = []
    with pytest.raises(EventsError, match=r"events\.jsonl\.1\.gz: can't be read to its end"):
        found.extend(event.time for event in read_events(str(tmp_path), 0))
    assert found[-1] == 5_000
    assert len(found) > 500
