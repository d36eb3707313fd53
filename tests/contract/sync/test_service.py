"""The service as systemd runs it: one leads, signals end it between two acts, the manifest is read anew."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.sync.conftest import NODE, HeadNode
from xio_slurm.power import heartbeat


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def end(process: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> tuple[int, str]:
    """Ask the process to end; its exit code, and what it said."""
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    return process.returncode, said


def log(head: HeadNode) -> str:
    path = Path(head.manifest.log_dir) / "xio.log"
    return path.read_text() if path.exists() else ""


@pytest.fixture
def start(head: HeadNode) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts syncs, which end with the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        started.append(head.start(*arguments, **environment))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_works_until_it_is_asked_to_end(
    head: HeadNode, start: Callable[..., "subprocess.Popen[str]"], number: int
) -> None:
    head.note("ours")
    head.make_vm()
    process = start()
    wait_for(lambda: head.vms() == set())
    last = heartbeat.read(head.manifest.state_dir)
    assert last is not None
    assert (last.pid, last.host, last.interval) == (process.pid, socket.gethostname(), 0.2)
    assert end(process, number)[0] == 0
    assert "xio-sync" in log(head)


def test_another_stands_by_and_takes_over(head: HeadNode, start: Callable[..., "subprocess.Popen[str]"]) -> None:
    first = start()
    wait_for(lambda: heartbeat.read(head.manifest.state_dir))
    second = start()
    wait_for(lambda: "stands by" in log(head))
    time.sleep(2.5)
    assert log(head).count(f"stands by: process {first.pid} on {socket.gethostname()} leads") == 1
    once = head.run("--once")
    assert (once.returncode, "is at work already" in once.stderr) == (1, True)
    first.kill()
    wait_for(lambda: (last := heartbeat.read(head.manifest.state_dir)) and last.pid == second.pid)
    assert end(second)[0] == 0


def test_a_missing_manifest_is_told_once_and_waited_for(
    head: HeadNode, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    text = head.path.read_text()
    head.path.unlink()
    head.note("ours")
    head.make_vm()
    process = start()
    time.sleep(7)
    assert head.vms() == {NODE}
    head.path.write_text(text)
    wait_for(lambda: head.vms() == set())
    code, said = end(process)
    assert code == 0
    assert said.count("there is no manifest") == 1


def test_a_manifest_that_changes_is_read_anew(head: HeadNode, start: Callable[..., "subprocess.Popen[str]"]) -> None:
    process = start()
    wait_for(lambda: heartbeat.read(head.manifest.state_dir))
    (head.folder / "state 2").mkdir()
    head.change(state_dir=str(head.folder / "state 2"))
    wait_for(lambda: heartbeat.read(head.manifest.state_dir))
    assert end(process)[0] == 0


def test_systemd_is_told(head: HeadNode, start: Callable[..., "subprocess.Popen[str]"]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(head.folder / "notify"))
        systemd.settimeout(20)
        process = start(NOTIFY_SOCKET=str(head.folder / "notify"))
        assert systemd.recv(1000).startswith(b"READY=1")
        assert systemd.recv(1000) == b"WATCHDOG=1\nSTATUS=0 problems, 0 things to be confirmed"
        process.send_signal(signal.SIGTERM)
        words = systemd.recv(1000)
        while words != b"STOPPING=1":
            words = systemd.recv(1000)
        assert process.wait(20) == 0


def test_once_looks_twice_and_ends(head: HeadNode) -> None:
    head.note("ours")
    head.make_vm()
    ended = head.run("--once")
    assert (ended.returncode, head.vms()) == (0, set()), ended.stderr
    assert heartbeat.read(head.manifest.state_dir) is None  # nobody is to count on it
    assert head.run("--once").returncode == 0


def test_once_tells_problems(head: HeadNode) -> None:
    head.slurm.fail()
    ended = head.run("--once")
    assert ended.returncode == 1
    assert ended.stderr.count("Unable to contact slurm controller") == 1
    head.path.unlink()
    assert "there is no manifest" in head.run("--once").stderr


def test_events_go_on_in_a_new_file_when_the_old_is_rotated(
    head: HeadNode, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    process = start()
    head.note("ours")
    head.make_vm()
    wait_for(lambda: head.events("deleted"))
    events = Path(head.manifest.log_dir) / "events.jsonl"
    events.rename(events.with_suffix(".1"))
    head.note("ours")
    head.make_vm()
    wait_for(lambda: events.exists() and head.events("deleted"))
    descriptors = [os.readlink(path) for path in Path(f"/proc/{process.pid}/fd").iterdir()]  # noqa: PTH115
    assert sum("events.jsonl" in name for name in descriptors) <= 1
    assert end(process)[0] == 0


def test_json_is_the_dry_runs(head: HeadNode) -> None:
    assert head.run("--json").returncode == 2
    assert head.run("--once", "--dry-run").returncode == 2
    assert json.loads(head.run("--dry-run", "--json").stdout) == {"complete": True, "actions": [], "errors": []}
