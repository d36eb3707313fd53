"""Where ``xio plan`` and ``xio apply`` print what, and what they propose."""

import os
import pty
import subprocess
import threading
from contextlib import suppress
from typing import Any

import pexpect
import pytest
from filelock import FileLock

from tests.contract.apply.conftest import SMALL, Cluster


def test_a_command_in_a_mention_stands_alone(cluster: Cluster) -> None:
    section: dict[str, Any] = {**SMALL["slurm"]["Xio"], "Images": []}  # type: ignore[dict-item]
    cluster.configure({"slurm": {"ClusterName": "lab", "Xio": section}})
    lines = cluster.run("plan").out.splitlines()
    command = lines.index("    xio image create --ami <AMI> --name rhel8")
    assert lines[command - 1] == "  * there is no image rhel8, and without it no VM starts in a:"


@pytest.mark.parametrize("on_terminal", ["stdout", "stderr"])
def test_results_go_to_stdout_whichever_is_a_terminal(cluster: Cluster, on_terminal: str) -> None:
    cluster.ems.change(parse_seconds=1)
    ours, theirs = pty.openpty()
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, on_terminal: theirs}
    process = subprocess.Popen(  # type: ignore[call-overload]
        cluster.command("apply", "--yes"), env=cluster.environment, stdin=subprocess.DEVNULL, text=True, **streams
    )
    os.close(theirs)
    parts: list[bytes] = []
    reader = threading.Thread(target=_read, args=(ours, parts))
    reader.start()
    piped = process.communicate(timeout=60)[on_terminal == "stdout"]
    reader.join(10)
    os.close(ours)
    on_it = b"".join(parts).decode()
    out, err = (on_it, piped) if on_terminal == "stdout" else (piped, on_it)
    assert process.returncode == 0
    for line in ("created: image rhel8", "created: profile amd", "created: environment lab"):
        assert line in out.splitlines()
        assert line not in err


def _read(terminal: int, parts: list[bytes]) -> None:
    with suppress(OSError):
        while part := os.read(terminal, 65536):
            parts.append(part)


def test_on_a_terminal_results_stand_above_the_bars_and_are_not_folded(cluster: Cluster) -> None:
    program, *arguments = cluster.command("apply", "--yes")
    terminal = pexpect.spawn(
        program, arguments, env=cluster.environment, timeout=60, encoding="utf-8", dimensions=(24, 30)
    )
    text = terminal.read()
    terminal.close()
    assert terminal.exitstatus == 0
    assert "\x1b[2Kcreated: image rhel8\r\n" in text
    assert f"\x1b[2Kcreated: files {cluster.out}\r\n" in text


def test_what_is_refused_before_the_first_step_is_not_said_to_be_finished_by_another_run(cluster: Cluster) -> None:
    cluster.out.mkdir()
    with FileLock(cluster.out / ".xio-apply.lock"):
        run = cluster.run("apply", "--yes")
    assert run.code == 1
    assert "another 'xio apply' is at work there" in run.err
    assert "same command" not in run.out + run.err
    assert "done:" not in run.out
    assert cluster.writes() == []
