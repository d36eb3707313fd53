"""Noting events never stops a program, and what is noted can be read."""

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from xio_slurm.events import Events


def noted(folder: Path) -> list[dict[str, object]]:
    """The lines of the file."""
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def test_a_line_says_when_what_who_and_of_which_pool(tmp_path: Path) -> None:
    events = Events(str(tmp_path), "xio-resume", "r-1", {"n-1": "amd"}.get)
    events.record("asked", node="n-1", ems_job=None, seconds=0.5)
    events.record("asked", node="other")
    events.record("called", hostlist="n-1", nodes=1)
    events.record("opened", pool="all")
    first, other, called, opened = noted(tmp_path)
    now = float(str(first.pop("time")))
    assert abs(now - time.time()) < 60
    common = {"program": "xio-resume", "run": "r-1"}
    assert first == {**common, "event": "asked", "node": "n-1", "pool": "amd", "seconds": 0.5}
    assert {"pool", "ems_job"}.isdisjoint(other)
    assert "node" not in called
    assert opened["pool"] == "all"


def test_lines_of_many_dont_mix(tmp_path: Path) -> None:
    def note(name: str) -> None:
        events = Events(str(tmp_path), name, name)
        for _ in range(200):
            events.record("failed", node=name, text=name * 500)

    threads = [threading.Thread(target=note, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(noted(tmp_path)) == 800


def test_after_a_rotation_a_new_file_is_begun(tmp_path: Path) -> None:
    events = Events(str(tmp_path), "xio-sync", "r")
    events.record("opened", pool="a")
    events.close()
    (tmp_path / "events.jsonl").rename(tmp_path / "events.jsonl.1")
    events.record("opened", pool="b")
    events.close()
    assert [line["pool"] for line in noted(tmp_path)] == ["b"]


def _a_pipe_that_nobody_reads(path: Path) -> None:
    os.mkfifo(path)


def _a_full_pipe(path: Path) -> None:
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # left open: then a writer could wait for ever
    os.write(descriptor, b"x" * fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ))


def _a_folder(path: Path) -> None:
    path.mkdir()


def _a_link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


@pytest.mark.timeout(30)
@pytest.mark.parametrize("make", [_a_pipe_that_nobody_reads, _a_full_pipe, _a_folder, _a_link])
def test_what_is_in_the_files_place_stops_nobody(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "events.jsonl")
    before = len([*Path("/proc/self/fd").iterdir()])
    events = Events(str(tmp_path), "xio-resume", "r")
    events.record("ended")
    events.close()
    assert not (tmp_path / "elsewhere").exists()
    assert len([*Path("/proc/self/fd").iterdir()]) == before


def test_a_folder_that_is_none_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "missing"):
        Events(str(folder), "xio-resume", "r").record("ended")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_costs_the_line(tmp_path: Path) -> None:
    program = """
import resource, signal, sys
from xio_slurm.events import Events
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
events = Events(sys.argv[1], "xio-resume", "r")
for number in range(100):
    events.record("ended", nodes=number)
print("went on")
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout == "went on\n"
    assert (tmp_path / "events.jsonl").stat().st_size <= 300
