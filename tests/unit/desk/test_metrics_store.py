"""Events are counted once each, whatever logrotate does to their files and whoever reads them."""

import gzip
import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from msgspec import structs

from tests.manifests import manifest_with
from xio_slurm.desk.metrics import store
from xio_slurm.desk.metrics.store import totals_now
from xio_slurm.events import Events
from xio_slurm.manifest import Manifest, Pool


@dataclass
class Head:
    """A log folder and a state folder."""

    manifest: Manifest
    number: int = 0

    @property
    def log(self) -> Path:
        return Path(self.manifest.log_dir)

    @property
    def kept(self) -> Path:
        return Path(self.manifest.state_dir) / "metrics.json"

    def happen(self, times: int = 1) -> None:
        """Have VMs been asked for."""
        self.number += 1
        events = Events(self.manifest.log_dir, "xio-resume", f"xio-resume-{self.number}")
        for _ in range(times):
            events.record("asked", node="xspot-vm-a-1", pool="a")
        events.close()

    def asked(self) -> int:
        """How many that were, as it is counted."""
        totals, problems = totals_now(self.manifest, time.time())
        assert problems == ()
        return totals.counts["asked", "a", ""]


@pytest.fixture
def head(tmp_path: Path) -> Head:
    for name in ("log", "state"):
        (tmp_path / name).mkdir()
    pools = (Pool("a", "amd", "image", 4, 1, 7200, None, 10),)
    return Head(manifest_with(log_dir=str(tmp_path / "log"), state_dir=str(tmp_path / "state"), pools=pools))


def test_each_event_counts_once(head: Head) -> None:
    assert head.asked() == 0
    assert not head.kept.exists()
    head.happen(300)  # longer than a line, where each is read a byte short
    assert head.asked() == head.asked() == 300
    head.happen(2)
    assert head.asked() == head.asked() == 302


def test_nothing_is_written_where_nothing_happened(head: Head) -> None:
    head.happen()
    head.asked()
    before = head.kept.stat().st_ino
    assert head.asked() == 1
    assert head.kept.stat().st_ino == before
    assert head.kept.stat().st_mode & 0o777 == 0o600


def test_what_is_written_between_a_look_and_a_rotation_counts(head: Head) -> None:
    head.happen(3)
    assert head.asked() == 3
    head.happen(4)
    (head.log / "events.jsonl").rename(head.log / "events.jsonl-20261122-1")
    head.happen(5)
    assert head.asked() == 12
    with (head.log / "events.jsonl-20261122-1").open("a") as file:  # by a program that had it open
        file.write((head.log / "events.jsonl").read_text().splitlines()[0] + "\n")
    assert head.asked() == 13


def test_files_that_are_compressed_and_removed_count_once(head: Head) -> None:
    head.happen(3)
    assert head.asked() == 3
    head.happen(4)
    moved = head.log / "events.jsonl.1"
    (head.log / "events.jsonl").rename(moved)
    with gzip.open(f"{moved}.gz", "wb") as file:
        file.write(moved.read_bytes())
    moved.unlink()
    head.happen(1)
    assert head.asked() == head.asked() == 8
    (head.log / "events.jsonl.1.gz").rename(head.log / "events.jsonl.2.gz")
    assert head.asked() == 8
    (head.log / "events.jsonl.2.gz").unlink()
    assert head.asked() == 8


def test_a_new_file_with_an_inode_of_old_counts_from_its_beginning(head: Head) -> None:
    head.happen(3)
    assert head.asked() == 3
    path = head.log / "events.jsonl"
    (head.log / "copy").write_bytes(path.read_bytes())
    path.write_text("")  # the same inode, as with copytruncate
    head.happen(5)
    assert head.asked() == 8


def test_logrotate_itself_loses_none(head: Head, tmp_path: Path) -> None:
    (tmp_path / "conf").write_text(
        f"{head.log}/events.jsonl {{\n rotate 5\n missingok\n nocreate\n compress\n delaycompress\n}}\n"
    )
    (tmp_path / "conf").chmod(0o644)
    logrotate = shutil.which("logrotate", path="/usr/sbin:/usr/bin:/sbin")
    assert logrotate is not None, "apt-get install logrotate"
    for turn in range(1, 5):
        head.happen(turn)
        command = [logrotate, "--force", "--state", str(tmp_path / "status"), str(tmp_path / "conf")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert head.asked() == sum(range(turn + 1))
    assert sorted(path.suffix for path in head.log.iterdir()) == [".1", ".gz", ".gz", ".gz"]


def test_a_line_that_is_being_written_counts_when_it_is_whole(head: Head) -> None:
    head.happen()
    path = head.log / "events.jsonl"
    text = path.read_text()
    with path.open("a") as file:
        file.write(text[:30])
    assert head.asked() == 1
    with path.open("a") as file:
        file.write(text[30:])
    assert head.asked() == 2


@pytest.mark.parametrize("junk", ["{}", "", "[1]", '{"version": 99, "read": {}}', '{"version": 1, "read": {"a": 3}}'])
def test_totals_that_cannot_be_understood_begin_anew_and_say_so(head: Head, junk: str) -> None:
    head.happen(2)
    head.kept.write_text(junk)
    totals, problems = totals_now(head.manifest, time.time())
    assert len(problems) == 1
    assert "the counters begin anew" in problems[0]
    assert totals.counts["asked", "a", ""] == head.asked() == 2


def test_totals_that_cannot_be_written_are_told_and_lose_nothing(head: Head) -> None:
    head.happen(2)
    head.kept.with_suffix(".new").mkdir()
    totals, problems = totals_now(head.manifest, time.time())
    assert totals.counts["asked", "a", ""] == 2
    assert "can't be written" in problems[0]
    head.kept.with_suffix(".new").rmdir()
    assert head.asked() == 2


def test_a_lock_that_is_held_is_not_waited_for_for_ever(head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_LOCK_SECONDS", 0.2)
    with FileLock(head.kept.with_suffix(".lock")):
        _, problems = totals_now(head.manifest, time.time())
    assert "another program still holds the lock" in problems[0]


def test_two_log_folders_of_one_state_folder_count_together(head: Head, tmp_path: Path) -> None:
    (tmp_path / "log2").mkdir()
    other = Head(structs.replace(head.manifest, log_dir=str(tmp_path / "log2")), number=100)
    for _ in range(3):
        head.happen(2)
        head.asked()
        other.happen(1)
        other.asked()
    assert head.asked() == other.asked() == 9


def test_what_happened_long_before_the_first_look_does_not_count(head: Head) -> None:
    head.happen(7)
    old = head.log / "events.jsonl.1"
    (head.log / "events.jsonl").rename(old)
    os.utime(old, (time.time() - 200_000,) * 2)
    head.happen(2)
    assert head.asked() == 2
    assert json.loads(head.kept.read_text())["read"].keys() != {}
