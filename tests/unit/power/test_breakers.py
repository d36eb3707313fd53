"""The breakers' files: every process finds the same, nothing is lost, and no bad file stops anybody."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from xio_slurm.deadline import Deadline
from xio_slurm.errors import LedgerError, LedgerUnusable
from xio_slurm.manifest import Recovery
from xio_slurm.power.breaker import EVERY_POOL, Breaker, after_boot, after_refusal, closed_by_hand, opened_by_hand
from xio_slurm.power.breakers import Breakers, gate_of
from xio_slurm.power.situation import Gate

NOW = 1_700_000_000.0
NOBODY = 65534


@pytest.fixture
def breakers(tmp_path: Path) -> Breakers:
    return Breakers(str(tmp_path))


def close(breakers: Breakers, pool: str) -> Breaker:
    return breakers.change(
        pool, lambda breaker: after_refusal(breaker, "capacity", "none left", NOW, Recovery()), Deadline.after(5)
    )[1]


def test_where_nothing_was_ever_closed_nothing_is_made(breakers: Breakers, tmp_path: Path) -> None:
    assert breakers.read() == {}
    assert breakers.change("a", after_boot, Deadline.after(5)) == (Breaker("a"), Breaker("a"))
    assert [path.name for path in (tmp_path / "pools").iterdir()] == ["lock"]


@pytest.mark.parametrize("pool", ["a", "amd-8-gb-1-cores", "a.b", EVERY_POOL])
def test_what_one_process_changed_another_reads(breakers: Breakers, tmp_path: Path, pool: str) -> None:
    closed = close(breakers, pool)
    assert closed.gate is Gate.CLOSED
    assert Breakers(str(tmp_path)).read() == {pool: closed}


def test_how_it_was_and_how_it_is(breakers: Breakers) -> None:
    closed = close(breakers, "a")
    text = "the rack is moved"
    by_hand = breakers.change("a", lambda breaker: closed_by_hand(breaker, text, NOW), Deadline.after(5))
    assert by_hand == (closed, closed_by_hand(closed, text, NOW))


def test_a_pool_that_is_as_at_first_has_no_file(breakers: Breakers, tmp_path: Path) -> None:
    close(breakers, "a")
    breakers.change("a", opened_by_hand, Deadline.after(5))
    assert list((tmp_path / "pools").glob("*.json")) == []
    assert breakers.read() == {}


def test_nobody_else_may_read_them(breakers: Breakers, tmp_path: Path) -> None:
    close(breakers, "a")
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "pools").rglob("*")} == {0}
    assert (tmp_path / "pools").stat().st_mode & 0o077 == 0


def document(**changes: object) -> str:
    fields = {
        "version": 1,
        "pool": "a",
        "gate": "closed",
        "cause": "capacity",
        "text": "",
        "since": NOW,
        "until": NOW + 60,
        "seconds": 60.0,
        "boot_failures": 0,
    }
    return json.dumps({**fields, **changes})


def test_the_document_of_these_tests_is_one(breakers: Breakers, tmp_path: Path) -> None:
    (tmp_path / "pools").mkdir()
    (tmp_path / "pools" / "a.json").write_text(document())
    assert breakers.read() == {"a": structs.replace(close(Breakers(str(tmp_path / "other")), "a"), text="")}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b"\xff\xfe",
        b"[" * 100_000,
        b"{}",
        document(version=2).encode(),
        document(gate="AJAR").encode(),
        document(pool=7).encode(),
        document(pool=["a"]).encode(),
        document(until="soon").encode(),
        document(until=float("nan")).encode(),
        document(since=None).encode(),
        document(since="x").encode(),
        document(seconds=[]).encode(),
        document(boot_failures="many").encode(),
        document(until=10**400).encode(),
        document(pool="b").encode(),
        document(new=1).encode(),
    ],
)
def test_a_damaged_file_is_told_and_its_pool_counts_as_open(
    breakers: Breakers, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    closed = close(breakers, "b")
    path = tmp_path / "pools" / "a.json"
    path.write_bytes(content)
    assert breakers.read() == {"b": closed}
    assert [record.getMessage() for record in caplog.records if str(path) in record.getMessage()] != []
    # The next change puts it right, and so does opening by hand.
    for change in (lambda breaker: closed_by_hand(breaker, "x", NOW), opened_by_hand):
        path.write_bytes(content)
        after = breakers.change("a", change, Deadline.after(5))[1]
        caplog.clear()
        assert breakers.read().get("a", Breaker("a")) == after
        assert caplog.records == []


def test_a_breaker_stands_for_the_pool_of_its_files_name(breakers: Breakers, tmp_path: Path) -> None:
    close(breakers, "b")
    (tmp_path / "pools" / "b.json").rename(tmp_path / "pools" / "a.json")
    assert gate_of(breakers.read(), "b") == Breaker("b")


def test_processes_that_change_it_at_once_lose_nothing(breakers: Breakers, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from msgspec import structs\n"
        "from xio_slurm.deadline import Deadline\n"
        "from xio_slurm.power.breakers import Breakers\n"
        "for turn in range(25):\n"
        "  add = lambda breaker: structs.replace(breaker, boot_failures=breaker.boot_failures + 1)\n"
        "  Breakers(sys.argv[1]).change(sys.argv[2], add, Deadline.after(60))\n"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), pool], stderr=subprocess.PIPE, text=True)
        for pool in ("a", "a", "a", "b")
    ]
    told = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0] * 4, told
    assert {pool: breaker.boot_failures for pool, breaker in breakers.read().items()} == {"a": 75, "b": 25}


def test_a_lock_that_is_held_is_waited_for_until_the_deadline(breakers: Breakers) -> None:
    def change_within(breaker: Breaker) -> Breaker:
        with pytest.raises(LedgerError, match="another program still holds the lock"):
            breakers.change("b", opened_by_hand, Deadline.after(0.1))
        return breaker

    breakers.change("a", change_within, Deadline.after(5))


def as_nobody(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run it as somebody whom a read-only folder keeps out, which root isn't."""
    become = f"import os\nif os.geteuid() == 0:\n  os.setgid({NOBODY})\n  os.setuid({NOBODY})\n"
    imports = (
        "import sys\nfrom xio_slurm.deadline import Deadline\nfrom xio_slurm.power.breaker import closed_by_hand\n"
        "from xio_slurm.power.breakers import Breakers\nbreakers = Breakers(sys.argv[1])\n"
    )
    return subprocess.run(
        [sys.executable, "-c", imports + become + code, str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], None]:
    """Lets everybody read what is in a folder, and nobody write."""

    def close_it(folder: Path) -> None:
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        for parent in (folder, *folder.parents):
            if parent.is_relative_to(tmp_path_factory.getbasetemp().parent.parent):
                parent.chmod(parent.stat().st_mode | 0o011)

    return close_it


def test_a_read_only_folder_can_be_read_and_says_so_when_it_is_changed(
    breakers: Breakers, tmp_path: Path, read_only: Callable[[Path], None]
) -> None:
    close(breakers, "a")
    read_only(tmp_path)
    ended = as_nobody(tmp_path, "print(breakers.read()['a'].gate.name)")
    assert (ended.stdout, ended.returncode) == ("CLOSED\n", 0), ended.stderr
    ended = as_nobody(tmp_path, "breakers.change('a', lambda b: closed_by_hand(b, 'x', 1.0), Deadline.after(5))")
    assert ended.stderr.splitlines()[-1].startswith("xio_slurm.errors.LedgerUnusable: ")
    assert "can't be used: " in ended.stderr.splitlines()[-1]
    assert breakers.read()["a"].cause == "capacity"


def test_a_state_folder_that_is_no_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerUnusable, match="can't be used: Not a directory"):
        close(Breakers(str(tmp_path / "file")), "a")
    assert Breakers(str(tmp_path / "file")).read() == {}


def test_that_of_all_pools_counts_while_it_is_closed() -> None:
    pool = Breaker("a", Gate.CLOSED, "capacity")
    every = Breaker(EVERY_POOL, Gate.CLOSED, "unreachable")
    assert gate_of({"a": pool}, "a") is pool
    assert gate_of({"a": pool}, "b") == Breaker("b")
    assert gate_of({"a": pool, EVERY_POOL: every}, "a") is every
    assert gate_of({EVERY_POOL: every}, "b") is every
    assert gate_of({"a": pool, EVERY_POOL: structs.replace(every, gate=Gate.HALF_OPEN)}, "a") is pool
