"""The programs as slurmctld calls them, and the program that others' nodes go to."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.contract.power.conftest import NODE, POOL, Site
from xio_slurm.emulator.tool import Emulator
from xio_slurm.manifest import Delegates

PROGRAMS = ("resume", "suspend", "resume_fail")


@pytest.mark.parametrize("descriptors", ["", "0<&-", "0<&- 1>&-", "0<&- 1>&- 2>&-", "1>&-", "2>&-"])
def test_closed_descriptors_make_no_difference(site: Site, ems_emulator: Emulator, descriptors: str) -> None:
    for program in ("xio-resume", "xio-suspend"):
        ended = subprocess.run(
            ["/usr/bin/env", "-i", "/bin/sh", "-c", f'exec "$@" {descriptors}', "sh", *site.command(program, NODE)],
            cwd="/",
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, site.log()
        assert len(ems_emulator.vms()) == (1 if program == "xio-resume" else 0)
    events = [json.loads(line) for line in (site.folder / "log" / "events.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events] == [
        "called",
        "asking",
        "asked",
        "ended",
        "called",
        "deleting",
        "gone",
        "ended",
    ]
    for name in ("xio.log", "events.jsonl"):
        assert "Traceback" not in (site.folder / "log" / name).read_text()


def test_the_manifest_is_found_in_the_environment_too(site: Site, ems_emulator: Emulator) -> None:
    program = site.command("xio-resume", NODE)[0]
    environment = {"XIO_MANIFEST": str(site.folder / "manifest.json")}
    assert subprocess.run([program, NODE], env=environment, cwd="/", timeout=60, check=False).returncode == 0
    assert len(ems_emulator.vms()) == 1


def test_a_program_is_found_through_a_link(site: Site, ems_emulator: Emulator) -> None:
    command = site.command("xio-resume", NODE)
    (site.folder / "link").symlink_to(command[0])
    assert (
        subprocess.run([site.folder / "link", *command[1:]], env={}, cwd="/", timeout=60, check=False).returncode == 0
    )


def test_a_call_for_no_nodes_is_fine(site: Site, ems_emulator: Emulator) -> None:
    assert site.call("xio-resume", "").returncode == 0
    assert ems_emulator.requests() == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_of_the_deploy_time_is_imported(program: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", f"xio_slurm.power.{program}", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    imported = set(re.findall(r"\|\s+([\w.]+)$", ended.stderr, re.MULTILINE))
    assert "xio_slurm.power.program" in imported
    forbidden = {"pydantic", "click", "rich", "yaml", "aiohttp", "asyncio", "xio_slurm.config", "xio_slurm.deploy"}
    assert not {name for name in imported if name in forbidden or name.split(".")[0] in forbidden}


STUB = """#!{python}
import json, os, sys, time
path = os.environ.get("SLURM_RESUME_FILE")
resume_file = json.load(open(path)) if path else None
call = {{"arguments": sys.argv[1:], "resume_file": resume_file, "started": time.time(), "stdin": sys.stdin.read()}}
json.dump(call, open({calls!r}, "w"))
time.sleep({seconds})
sys.exit({code})
"""


class Delegate:
    """A stub of another's program, which writes down how it was called."""

    def __init__(self, site: Site, *, seconds: float = 0, code: int = 0) -> None:
        self._calls = site.folder / "delegate.json"
        path = site.folder / "delegate"
        path.write_text(STUB.format(python=sys.executable, calls=str(self._calls), seconds=seconds, code=code))
        path.chmod(0o755)
        site.change(delegates=Delegates(str(path), str(path), None))

    def call(self) -> Any:
        """The one call that there was; None if there was none."""
        return json.loads(self._calls.read_text()) if self._calls.exists() else None


def _resume_file(site: Site, document: dict[str, Any]) -> None:
    path = site.folder / "resume.json"
    path.write_text(json.dumps(document))
    site.environment["SLURM_RESUME_FILE"] = str(path)


@pytest.mark.parametrize("program", ["xio-resume", "xio-suspend", "xio-resume-fail"])
def test_others_nodes_go_to_the_delegated_program(site: Site, ems_emulator: Emulator, program: str) -> None:
    delegate = Delegate(site)
    assert site.call(program, f"{NODE},pc-[1-3],xspot-vm-{POOL}-1001", "feature").returncode == 0, site.log()
    assert delegate.call()["arguments"] == [f"pc-[1-3],xspot-vm-{POOL}-1001", "feature"]
    assert delegate.call()["stdin"] == ""
    assert len(ems_emulator.vms()) == (program == "xio-resume")


def test_the_delegated_program_gets_a_resume_file_of_its_own(site: Site, ems_emulator: Emulator) -> None:
    delegate = Delegate(site)
    jobs = [{"job_id": 1, "nodes": NODE}, {"job_id": 2, "nodes": f"pc-1,{NODE}"}, {"job_id": 3, "nodes": "pc-2"}]
    _resume_file(site, {"all_nodes": f"pc-[1-2],{NODE}", "jobs": jobs})
    assert site.call("xio-resume", f"pc-[1-2],{NODE}").returncode == 0
    assert delegate.call()["resume_file"] == {
        "all_nodes": "pc-[1-2]",
        "jobs": [{"job_id": 2, "nodes": "pc-1"}, {"job_id": 3, "nodes": "pc-2"}],
    }


def test_without_a_resume_file_it_gets_none(site: Site) -> None:
    delegate = Delegate(site)
    site.environment["SLURM_RESUME_FILE"] = str(site.folder / "gone")
    assert site.call("xio-resume", "pc-1").returncode == 0
    assert delegate.call()["resume_file"] is None


def test_where_all_nodes_are_ours_nothing_is_delegated(site: Site, ems_emulator: Emulator) -> None:
    delegate = Delegate(site)
    assert site.call("xio-resume", NODE).returncode == 0
    assert delegate.call() is None


def test_it_works_beside_us_and_not_before(site: Site, ems_emulator: Emulator) -> None:
    delegate = Delegate(site, seconds=3)
    started = time.time()
    program = site.start("xio-resume", f"pc-1,{NODE}")
    ems_emulator.wait_until(ems_emulator.vms)
    assert program.poll() is None
    program.communicate(timeout=60)
    assert program.returncode == 0
    assert ems_emulator.vms()[0].created < started + 3 <= time.time()
    assert delegate.call()["started"] < started + 3


@pytest.mark.parametrize("program", ["xio-resume", "xio-suspend"])
def test_its_failure_touches_no_node_of_ours(site: Site, ems_emulator: Emulator, program: str) -> None:
    Delegate(site, code=7)
    assert site.call(program, f"pc-1,{NODE}").returncode == 1
    assert "pc-1: failed: xio:delegate" in site.log()
    assert f"{NODE}: failed" not in site.log()
    assert len(ems_emulator.vms()) == (program == "xio-resume")


def test_our_failure_touches_no_node_of_its(site: Site, ems_emulator: Emulator) -> None:
    delegate = Delegate(site)
    site.change(ems_url="http://127.0.0.1:9")
    assert site.call("xio-resume", f"pc-1,{NODE}").returncode == 1
    assert delegate.call()["arguments"] == ["pc-1"]
    assert "pc-1: delegated" in site.log()


def test_one_that_cannot_be_started_is_told(site: Site, ems_emulator: Emulator) -> None:
    site.change(delegates=Delegates(str(site.folder / "none"), None, None))
    assert site.call("xio-resume", f"pc-1,{NODE}").returncode == 1
    assert "can't be started: No such file or directory" in site.log()
    assert len(ems_emulator.vms()) == 1


def test_one_that_hangs_is_left_running(site: Site, ems_emulator: Emulator) -> None:
    site.change(resume_timeout=3)
    delegate = Delegate(site, seconds=20)
    started = time.monotonic()
    with site.start("xio-resume", f"pc-1,{NODE}") as program:
        assert program.wait(60) == 0
        assert time.monotonic() - started < 20
        assert "still runs: it is left alone" in site.log()
        assert delegate.call() is not None


def test_a_node_that_no_one_owns_is_an_error_for_that_node_alone(site: Site, ems_emulator: Emulator) -> None:
    assert site.call("xio-resume", f"xspot-vm-gone-1,{NODE}").returncode == 1
    assert "xspot-vm-gone-1: failed: xio:unowned" in site.log()
    assert f"{NODE}: asked" in site.log()
    assert len(ems_emulator.vms()) == 1


def test_a_folder_that_is_gone_is_no_matter(site: Site, ems_emulator: Emulator, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = ["/bin/sh", "-c", 'rmdir "$PWD"; exec "$@"', "sh", *site.command("xio-resume", NODE)]
    assert subprocess.run(command, env={}, cwd=gone, timeout=60, check=False).returncode == 0
    assert site.entry() is not None
