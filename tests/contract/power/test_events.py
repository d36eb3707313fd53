"""What the programs note of their calls, and what stops them from noting doesn't stop them."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.contract.power.conftest import NODE, POOL, Site
from xio_slurm.desk.event_log import Event, read_events
from xio_slurm.emulator.tool import Emulator


def events(site: Site, *kinds: str) -> list[Event]:
    """Those of these kinds."""
    return [event for event in read_events(site.manifest.log_dir, 0) if event.kind in kinds]


def resume_file(site: Site, *jobs: dict[str, Any]) -> None:
    """Have slurmctld say for which jobs it calls."""
    path = site.folder / "resume"
    path.write_text(json.dumps({"all_nodes_resume": "x", "jobs": jobs}))
    site.environment["SLURM_RESUME_FILE"] = str(path)


def test_a_call_notes_its_jobs_its_nodes_and_their_pools(site: Site, ems_emulator: Emulator) -> None:
    resume_file(site, {"job_id": 12, "nodes_resume": f"xspot-vm-{POOL}-[1-2]"}, {"job_id": 13, "nodes_resume": NODE})
    assert site.call("xio-resume", f"xspot-vm-{POOL}-[1-2]").returncode == 0
    wanted = events(site, "wanted")
    assert [(event.text("job"), event.text("hostlist"), event.number("nodes")) for event in wanted] == [
        ("12", f"xspot-vm-{POOL}-[1-2]", 2),
        ("13", NODE, 1),
    ]
    asked = events(site, "asked")
    assert {(event.node, event.pool) for event in asked} == {(NODE, POOL), (f"{NODE[:-1]}2", POOL)}
    assert all(event.text("ems_job") and event.number("seconds") is not None for event in asked)
    assert len({event.run for event in read_events(site.manifest.log_dir, 0)}) == 1


def test_a_refusal_bears_its_code_and_the_words_of_the_ems(site: Site, ems_emulator: Emulator) -> None:
    fault = {"effect": "no-capacity", "match": {"pool": POOL}}
    requests.post(f"{ems_emulator.url}/emulator/faults", json=fault, timeout=10).raise_for_status()
    assert site.call("xio-resume", NODE).returncode == 1
    (refused,) = events(site, "refused")
    assert (refused.node, refused.pool, refused.text("code")) == (NODE, POOL, "capacity")
    assert refused.text("text") == "create the node: EMS 503: insufficient capacity"
    (failed,) = events(site, "failed")
    assert (failed.pool, failed.text("code")) == (POOL, "capacity")


def test_the_end_of_a_vm_is_timed(site: Site, ems_emulator: Emulator) -> None:
    site.call("xio-resume", NODE)
    site.call("xio-suspend", NODE)
    (gone,) = events(site, "gone")
    assert (gone.node, gone.pool) == (NODE, POOL)
    seconds = gone.number("seconds")
    assert seconds is not None
    assert 0 <= seconds < 60


@pytest.mark.parametrize("name", ["events.jsonl", "xio.log"])
def test_a_pipe_in_a_files_place_stops_no_vm(site: Site, ems_emulator: Emulator, name: str) -> None:
    os.mkfifo(Path(site.manifest.log_dir) / name)
    assert site.call("xio-resume", NODE).returncode == 0
    assert len(ems_emulator.vms()) == 1


def test_the_logs_lines_go_to_syslog_too(site: Site, ems_emulator: Emulator) -> None:
    program = """
import sys
from pathlib import Path
from xio_slurm.power import system_log
system_log.SystemLog.__init__.__defaults__ = (Path(sys.argv.pop(1)),)
sys.argv[0] = "xio-resume"
from xio_slurm.power.resume import main
main()
"""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(site.folder / "log-socket"))
        daemon.settimeout(5)
        for manifest, code, last in (("manifest.json", 0, f"{NODE}: asked"), ("none.json", 2, "nothing was done")):
            command = [sys.executable, "-c", program, str(site.folder / "log-socket"), "--manifest"]
            ended = subprocess.run([*command, str(site.folder / manifest), NODE], env={}, timeout=60, check=False)
            assert ended.returncode == code
            lines = [daemon.recv(10_000).decode()]
            daemon.setblocking(False)
            try:
                while True:
                    lines.append(daemon.recv(10_000).decode())
            except BlockingIOError:
                daemon.settimeout(5)
            assert all(" xio-resume[" in line for line in lines), lines
            assert last in lines[-1], lines
