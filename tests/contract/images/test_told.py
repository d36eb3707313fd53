"""What somebody who waits for ``xio image`` is told, where results go, and what a program gets of an error."""

import json
import os
import pty
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.contract.images.conftest import NAME, NEW, OLD, XIO, Site

Begin = Callable[..., Site]
CREATED = f"created: image {NAME} of {NEW}"


@pytest.mark.parametrize("arguments", [("list",), ("show", NAME), ("delete", NAME, "--yes", "--force")], ids=" ".join)
def test_who_waits_for_the_ems_is_told(begin: Begin, arguments: tuple[str, ...]) -> None:
    site = begin({NAME: OLD})
    site.path.write_text(site.path.read_text().replace('"read_timeout": 1', '"read_timeout": 10'))
    site.ems.add_fault(effect="latency", seconds=2.5, times=1)
    done = site.xio(*arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"asking the EMS for {'its images' if arguments == ('list',) else f'image {NAME}'} ...\n"


@pytest.mark.parametrize("arguments", [("list",), ("show", "none"), ("create", "--ami", NEW, "--name", NAME)])
def test_an_error_is_one_document_for_programs(begin: Begin, arguments: tuple[str, ...]) -> None:
    site = begin({NAME: OLD})
    if arguments == ("list",):
        site.ems.add_fault(effect="status", status=500, error="no")
    aws = ("--no-aws-checks",) if "create" in arguments else ()
    done = site.xio(*arguments, *aws, "--json")
    assert done.returncode == 1
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("xio: "))
    assert json.loads(done.stdout) == {"complete": False, "errors": [line.removeprefix("xio: ")]}


@pytest.mark.parametrize("on_terminal", ["stdout", "stderr"])
def test_the_result_goes_to_stdout_whichever_is_a_terminal(begin: Begin, on_terminal: str) -> None:
    site = begin(parse_seconds=1)
    command = [str(XIO), "image", "create", "--ami", NEW, "--name", NAME, "--manifest", str(site.path)]
    ours, theirs = pty.openpty()
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, on_terminal: theirs}
    with subprocess.Popen([*command, "--no-aws-checks"], text=True, **streams) as process:  # type: ignore[call-overload]
        os.close(theirs)
        on_it = _read(ours)
        piped = process.communicate(timeout=60)[on_terminal == "stdout"]
    out, err = (on_it, piped) if on_terminal == "stdout" else (piped, on_it)
    assert out.splitlines() == [CREATED]
    assert CREATED not in err
    assert "asking the EMS to parse" in err or "parse job" in err


def _read(terminal: int) -> str:
    """All that a process writes to its terminal."""
    parts = []
    with suppress(OSError):
        while part := os.read(terminal, 65536):
            parts.append(part)
    os.close(terminal)
    return b"".join(parts).decode()


def test_an_interruption_before_the_first_step_promises_nothing(begin: Begin) -> None:
    site = begin()
    site.ems.add_fault(effect="latency", seconds=60)
    command = [str(XIO), "image", "create", "--ami", NEW, "--name", NAME, "--manifest", str(site.path)]
    with subprocess.Popen([*command, "--no-aws-checks"], stderr=subprocess.PIPE, text=True) as process:
        site.ems.wait_until(lambda: site.ems.faults()[0].hits)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert (process.returncode, told) == (130, "xio: interrupted: nothing was done\n")
