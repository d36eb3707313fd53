"""The counts of failed starts and sync's sign of life, as files that anything can have happened to."""

import os
from pathlib import Path

import pytest

from xio_slurm.errors import LedgerError
from xio_slurm.power.failed_starts import FailedStarts, FailedStartsOfJobs
from xio_slurm.power.heartbeat import Heartbeat, read, sync_is_alive, write


def test_a_count_is_kept_until_it_is_forgotten(tmp_path: Path) -> None:
    files = FailedStartsOfJobs(str(tmp_path))
    assert files.read(12) == FailedStarts()
    files.write(12, FailedStarts(2, 3, 1000.5))
    assert FailedStartsOfJobs(str(tmp_path)).read(12) == FailedStarts(2, 3, 1000.5)
    assert (tmp_path / "jobs" / "12.json").stat().st_mode & 0o777 == 0o600
    files.forget(12)
    files.forget(12)
    assert files.read(12) == FailedStarts()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', '{"version": 1, "counted": "x"}', "[" * 10_000])
def test_a_count_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    files = FailedStartsOfJobs(str(tmp_path))
    files.write(12, FailedStarts(2, 3, 1000.5))
    (tmp_path / "jobs" / "12.json").write_text(text)
    assert files.read(12) == FailedStarts()


def test_counts_of_a_week_ago_are_removed(tmp_path: Path) -> None:
    files = FailedStartsOfJobs(str(tmp_path))
    for job in (1, 2):
        files.write(job, FailedStarts(1, 1, 1.0))
    old = (tmp_path / "jobs" / "1.json").stat().st_mtime - 8 * 24 * 3600
    os.utime(tmp_path / "jobs" / "1.json", (old, old))
    files.forget_old()
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == ["2.json"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("")
    with pytest.raises(LedgerError, match="jobs"):
        FailedStartsOfJobs(str(tmp_path)).write(1, FailedStarts())


def test_sync_is_alive_while_its_next_pass_is_to_be_expected(tmp_path: Path) -> None:
    assert not sync_is_alive(str(tmp_path), 1000.0)
    last = Heartbeat(1000.0, 12, "head", 15.0)
    write(str(tmp_path), last)
    assert read(str(tmp_path)) == last
    alive = [now for now in (1000, 1089, 1091, 911, 100) if sync_is_alive(str(tmp_path), now)]
    assert alive == [1000, 1089, 911]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"time": 1}', "[" * 10_000])
def test_a_sign_of_life_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "sync.json").write_text(text)
    assert read(str(tmp_path)) is None
