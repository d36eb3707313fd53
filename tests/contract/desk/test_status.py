"""``xio status`` in a process of its own: an EMS over HTTP, files, and a Slurm whose answers are written down."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import pexpect
import pytest

from tests.contract.sync.conftest import BOOTING, NODE, NODE_2, OFF, POOL, RUNNING, HeadNode
from xio_slurm.deadline import Deadline
from xio_slurm.ledger import Entry, Run
from xio_slurm.manifest import Pool, Recovery
from xio_slurm.power.breaker import after_refusal
from xio_slurm.power.breakers import Breakers
from xio_slurm.power.heartbeat import Heartbeat, write

XIO: Final = [sys.executable, "-I", "-m", "xio_slurm.commands"]
COLOUR: Final = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture(autouse=True)
def _small(head: HeadNode) -> None:
    head.change(pools=(Pool(POOL, "amd", "image", 2, 1, 7200, None, 10),))
    write(head.manifest.state_dir, Heartbeat(time.time(), 1, "head", 15.0))


def call(head: HeadNode, *arguments: str, command: str = "status") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*XIO, command, "--manifest", str(head.path), *arguments],
        env={"PATH": os.defpath},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def status(head: HeadNode) -> Any:
    return json.loads(call(head, "--json").stdout)


def table(text: str) -> list[dict[str, str]]:
    """The lines of pools, by their columns' titles; a sum's two words are one name."""
    head, *lines = text.splitlines()
    titles = head.split()
    rows = []
    for line in lines:
        words = line.split()
        rows.append(dict(zip(titles, words, strict=False)))
        if words[0] == "all":
            break
    return rows


def test_nodes_vms_and_what_is_odd_are_shown(head: HeadNode) -> None:
    head.slurm.say(BOOTING, NODE)
    head.note("ours", NODE, age=100)
    head.make_vm(NODE)
    head.make_vm(NODE_2)
    head.note("ours", NODE_2)
    done = call(head)
    assert (done.returncode, done.stderr) == (0, "")
    (pool, _) = table(done.stdout)
    assert (pool["Pool"], pool["Gate"], pool["Off"], pool["Boot"], pool["VMs"], pool["Diff"]) == (
        POOL,
        "open",
        "1",
        "1",
        "2",
        "1",
    )
    assert pool["Oldest"] in {f"{seconds}s" for seconds in range(100, 115)}
    assert f"longest boot: {NODE}, 10" in done.stdout
    found = status(head)["pools"][0]
    assert (found["orphans"], found["mismatches"], found["oldest_booting"]["node"]) == (1, 1, NODE)


def test_it_costs_one_call_of_slurms_and_one_list_of_the_ems_and_changes_nothing(head: HeadNode) -> None:
    head.ledger.prepare()
    before = {path: path.stat().st_mtime_ns for path in Path(head.manifest.state_dir).rglob("*")}
    call(head)
    assert head.slurm.calls() == ["show node -o --all"]
    assert [(each.method, each.path) for each in head.emulator.requests()] == [("GET", "/v1/xcompute/vms")]
    assert {path: path.stat().st_mtime_ns for path in Path(head.manifest.state_dir).rglob("*")} == before
    assert list(Path(head.manifest.log_dir).iterdir()) == []


def test_without_slurm_vms_and_gates_are_shown(head: HeadNode) -> None:
    head.slurm.fail()
    head.make_vm(NODE)
    now, deadline = time.time(), Deadline.after(5)
    Breakers(head.manifest.state_dir).change(
        POOL, lambda breaker: after_refusal(breaker, "capacity", "none left", now, Recovery()), deadline
    )
    done = call(head)
    assert done.returncode == 1
    (pool, _) = table(done.stdout)
    assert pool == {"Pool": POOL, "Gate": "closed", "VMs": "1", "Diff": "?"}
    assert "Slurm doesn't tell its nodes" in done.stdout
    assert f"pool {POOL} is closed until" in done.stdout
    document = status(head)
    assert (document["complete"], document["pools"][0]["nodes"], document["pools"][0]["vms"]) == (False, None, 1)


def test_without_the_ems_nodes_are_shown(head: HeadNode) -> None:
    head.change(ems_url="http://127.0.0.1:9", recovery=Recovery())
    head.slurm.say(RUNNING, NODE)
    done = call(head)
    assert done.returncode == 1
    (pool, _) = table(done.stdout)
    assert (pool["Up"], pool["Busy"], pool["Off"], pool["VMs"], pool["Diff"]) == ("1", "1", "1", "?", "?")
    assert status(head)["pools"][0]["vms"] is None


def test_without_either_it_says_so_and_ends(head: HeadNode) -> None:
    head.slurm.fail()
    head.change(ems_url="http://127.0.0.1:9")
    done = call(head)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr + done.stdout
    assert len(status(head)["errors"]) == 2


def test_a_sync_that_is_gone_is_told(head: HeadNode) -> None:
    assert "isn't at work" not in call(head).stdout
    write(head.manifest.state_dir, Heartbeat(time.time() - 3600, 1, "head", 15.0))
    assert "'xio sync' isn't at work" in call(head).stdout
    assert status(head)["sync"] is False


def test_percentiles_come_from_the_events(head: HeadNode) -> None:
    path = Path(head.manifest.log_dir) / "events.jsonl"
    for number in range(1, 101):
        line = {"time": time.time() - number, "event": "registered", "program": "xio-sync", "run": "r"}
        with path.open("a") as file:
            file.write(json.dumps({**line, "node": f"n{number}", "pool": POOL, "seconds": number}) + "\n")
    (pool, _) = table(call(head).stdout)
    assert (pool["p50"], pool["p95"]) == ("50s", "95s")


@pytest.mark.parametrize("columns", [80, 120])
def test_ten_thousand_nodes_fit_a_screen(head: HeadNode, columns: int) -> None:
    pools = [f"intel-{number}-gb-8-cores-of-the-second-kind" for number in range(40)]
    head.change(pools=tuple(Pool(name, "amd", "image", 250, 1, 7200, None, 10) for name in pools))
    head.ledger.prepare()
    states = (OFF, BOOTING, RUNNING, "IDLE+CLOUD", "IDLE+CLOUD+POWERING_DOWN", "DOWN+CLOUD", "IDLE+CLOUD+DRAIN")
    lines = []
    then = Run("xio-resume-1-1", time.time() - 5000)
    for each, name in enumerate(f"xspot-vm-{pool}-{number}" for pool in pools for number in range(1, 251)):
        because = " Reason=disk [s@2026-11-22T09:01:02]" if each % 7 == 6 else ""
        lines.append(f"NodeName={name} NodeAddr={name} State={states[each % 7]} Partitions=xio{because}")
        entry = Entry(name, POOL, "ours", then, asked=then.called)
        path = Path(head.manifest.state_dir) / "nodes" / f"{name}.json"
        path.write_bytes(msgspec.json.encode(entry))
    (head.folder / "nodes").write_text("\n".join(lines) + "\n")
    terminal = pexpect.spawn(
        XIO[0],
        [*XIO[1:], "status", "--manifest", str(head.path)],
        env={"PATH": os.defpath, "TERM": "xterm"},
        dimensions=(24, columns),
        timeout=60,
        encoding="utf-8",
    )
    shown = [COLOUR.sub("", line).rstrip() for line in terminal.read().splitlines()]
    assert len(shown) < 24
    assert max(map(len, shown)) <= columns
    rows = [line.split() for line in shown[1:] if line.startswith("intel") or " others " in line]
    assert len(rows) > 12
    assert len({row[0] for row in rows}) == len(rows), "names that are cut can be told apart"
    total = next(line.split() for line in shown if line.startswith("all "))
    assert total[1:6] == ["1429", "1429", "2858", "1429", "1429"]
    assert "0 quiet" not in "\n".join(shown)
    assert len(call(head, "--all").stdout.splitlines()) > 40


def test_watch_looks_again_until_ctrl_c(head: HeadNode) -> None:
    terminal = pexpect.spawn(
        XIO[0],
        [*XIO[1:], "status", "--watch", "--manifest", str(head.path)],
        env={"PATH": os.defpath, "TERM": "xterm"},
        dimensions=(24, 80),
        timeout=30,
        encoding="utf-8",
    )
    terminal.expect("Oldest")
    head.slurm.say(BOOTING, NODE)
    head.note("ours", NODE, age=300)
    terminal.expect("longest boot")
    terminal.kill(signal.SIGINT)
    rest = terminal.read()
    terminal.close()
    assert terminal.exitstatus == 130
    assert "Traceback" not in rest
    assert "\x1b[?25h" in rest, "the cursor is shown again"


def test_watch_is_for_a_terminal(head: HeadNode) -> None:
    done = call(head, "--watch")
    assert done.returncode == 2
    assert "xio metrics" in done.stderr
    assert call(head, "--watch", "--json").returncode == 2
