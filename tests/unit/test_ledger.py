"""The ledger survives crashes, overlapping programs and bad disks."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from xio_slurm.deadline import Deadline
from xio_slurm.errors import LedgerError
from xio_slurm.ledger import Entry, Ledger, Run

ENTRY = Entry("n-1", "pool", "asking", Run("xio-resume-1", 1.5), asked=2.5, ems_job="job", attempts=1, error="none")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(str(tmp_path / "state"))
    ledger.prepare()
    return ledger


def test_what_was_written_is_read(ledger: Ledger) -> None:
    with ledger.locked("n-1", Deadline.after(1)) as slot:
        assert slot.read() is None
        slot.write(ENTRY)
        assert slot.read() == ENTRY
    assert list(ledger.entries()) == [ENTRY]


def test_a_node_whose_vm_is_gone_is_remembered_and_not_counted(ledger: Ledger) -> None:
    later = Run("xio-suspend-2", 3.5)
    with ledger.locked("n-1", Deadline.after(1)) as slot:
        slot.write(ENTRY.at("gone", later))
    assert list(ledger.entries()) == []
    assert ledger.peek("n-1") == structs.replace(ENTRY, phase="gone", run=later, unanswered=True)


def test_an_ask_that_was_answered_is_not_left_open() -> None:
    assert not structs.replace(ENTRY, phase="ours").at("gone", ENTRY.run).unanswered


def test_a_line_that_was_added_holds(ledger: Ledger) -> None:
    with ledger.locked("n-1", Deadline.after(1)) as slot:
        slot.add(ENTRY)  # there is no file yet
        assert slot.read() == ENTRY
        for phase in ("ours", "deleting", "gone") * 10:
            slot.add(entry := structs.replace(ENTRY, phase=phase))
            assert slot.read() == entry == ledger.peek("n-1")


def test_a_file_stays_small(ledger: Ledger, tmp_path: Path) -> None:
    with ledger.locked("n-1", Deadline.after(1)) as slot:
        for attempt in range(100):
            slot.add(structs.replace(ENTRY, attempts=attempt))
            assert slot.read() == structs.replace(ENTRY, attempts=attempt)
        assert (tmp_path / "state" / "nodes" / "n-1.json").stat().st_size <= 4096


@pytest.mark.parametrize("rest", [b"", b"\0\0\0\0", b"\xff\xfe"])
def test_of_a_line_that_was_cut_off_the_one_before_it_holds(ledger: Ledger, tmp_path: Path, rest: bytes) -> None:
    path = tmp_path / "state" / "nodes" / "n-1.json"
    later = structs.replace(ENTRY, phase="ours")
    with ledger.locked("n-1", Deadline.after(1)) as slot:
        slot.write(ENTRY)
        before = path.stat().st_size
        slot.add(later)
        whole = path.read_bytes()
        for length in range(before, len(whole) - 1):
            path.write_bytes(whole[:length] + rest)
            assert slot.read() == ENTRY, length
            slot.add(structs.replace(later, attempts=7))
            assert slot.read() == structs.replace(later, attempts=7), length


def test_nobody_else_may_read_it(ledger: Ledger, tmp_path: Path) -> None:
    with ledger.locked("n-1", Deadline.after(1)) as slot:
        slot.write(ENTRY)
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "state").rglob("*")}
    assert modes == {0}


def test_a_lock_that_is_held_is_waited_for_until_the_deadline(ledger: Ledger) -> None:
    with ledger.locked("n-1", Deadline.after(1)):
        caught: list[str] = []

        def other() -> None:
            try:
                with ledger.locked("n-1", Deadline.after(0.1)):
                    caught.append("the lock was taken twice")
            except LedgerError as error:
                caught.append(str(error))

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert caught == ["another program still holds the lock of n-1"]
    with ledger.locked("n-1", Deadline.after(1)), ledger.locked("n-2", Deadline.after(1)):
        pass


def test_the_lock_of_a_killed_program_is_free(ledger: Ledger, tmp_path: Path) -> None:
    code = (
        "import sys, time; from xio_slurm.ledger import Ledger; from xio_slurm.deadline import Deadline\n"
        "with Ledger(sys.argv[1]).locked('n-1', Deadline.after(5)):\n  print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "state")], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LedgerError), ledger.locked("n-1", Deadline.after(0.1)):
            pass
        holder.send_signal(signal.SIGKILL)
    with ledger.locked("n-1", Deadline.after(5)) as slot:
        slot.write(ENTRY)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"version": 1}',
        b"[" * 60_000,
        b"[" * 100_000,
        json.dumps({"version": 2, "node": "n-1"}).encode(),
        json.dumps({"version": 1, "phase": "unheard of"}).encode(),
        json.dumps({"version": 1, "phase": "ours", "run": {}}).encode(),
        msgspec.json.encode(structs.replace(ENTRY, run=Run("x", "soon"))),  # type: ignore[arg-type]
        msgspec.json.encode(structs.replace(ENTRY, asked=None)),
        msgspec.json.encode(ENTRY)[:-1] + b', "new\\nkey": 1}',
        json.dumps({"version": 1, "phase": "ours", "run": {"id": "x", "called": 1}, "new": 1}).encode(),
    ],
)
def test_a_damaged_file_is_told_and_never_taken_for_no_entry(ledger: Ledger, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state" / "nodes" / "n-1.json"
    path.write_bytes(content)
    with ledger.locked("n-1", Deadline.after(1)) as slot, pytest.raises(LedgerError) as caught:
        slot.read()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(ledger.entries()) == []


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/etc/passwd")])
def test_what_is_no_file_is_told_and_not_waited_for(
    ledger: Ledger, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "state" / "nodes" / "n-1.json")
    with pytest.raises(LedgerError, match=r"n-1\.json: (can't be read|is damaged)"):
        ledger.peek("n-1")


@pytest.mark.parametrize(("method", "most"), [("write", 10), ("add", 300)])
def test_a_full_disk_keeps_the_old_entry(ledger: Ledger, tmp_path: Path, method: str, most: int) -> None:
    with ledger.locked("n-1", Deadline.after(1)) as slot:
        slot.write(ENTRY)
    code = (
        "import resource, signal, sys\n"
        "from msgspec import structs\n"
        "from xio_slurm.ledger import *; from xio_slurm.deadline import Deadline\n"
        "most = int(sys.argv[2])\n"
        "with Ledger(sys.argv[1]).locked('n-1', Deadline.after(5)) as slot:\n"
        "  signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))\n"
        "  getattr(slot, sys.argv[3])(structs.replace(slot.read(), phase='ours'))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "state"), str(most), method],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "LedgerError" in ended.stderr
    assert "can't be written: " in ended.stderr
    assert list(ledger.entries()) == [ENTRY]
    assert [path.name for path in (tmp_path / "state" / "nodes").iterdir()] == ["n-1.json"]


def test_a_state_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="can't be made: Not a directory: check StateDir"):
        Ledger(str(tmp_path / "file" / "state")).prepare()
