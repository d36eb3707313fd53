"""xio-resume against an EMS that behaves in every way we could not rule out."""

import base64
import json
import signal
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from tests.contract.power.conftest import NODE, POOL, Site, create_elsewhere
from xio_slurm.emulator.tool import Emulator


def test_each_node_gets_one_vm_as_its_pool_says(site: Site, ems_emulator: Emulator) -> None:
    ended = site.call("xio-resume", f"xspot-vm-{POOL}-[1-3],xspot-vm-b-1")
    assert ended.returncode == 0, ended.stderr
    vms = {vm.node: vm for vm in ems_emulator.vms()}
    assert sorted(vms) == [*(f"xspot-vm-{POOL}-{n}" for n in (1, 2, 3)), "xspot-vm-b-1"]
    assert (vms[NODE].pool, vms[NODE].profile) == (POOL, "amd")
    assert vms[NODE].request["VM"] | {"UserData": ""} == {
        "CPUs": 1,
        "ImageName": "image",
        "MaxMemory": 7200,
        "VolumeSize": 10,
        "UserData": "",
    }
    assert vms["xspot-vm-b-1"].request["VM"]["MinMemory"] == 100
    script = base64.b64decode(vms[NODE].user_data).decode()
    assert script.startswith(f"#!/bin/sh\nXIO_NODE={NODE}\nXIO_POOL={POOL}\nXIO_CLUSTER=lab\n")
    entry = site.entry()
    assert entry is not None
    assert (entry.phase, entry.ems_job) == ("ours", vms[NODE].job_id)


def test_a_node_costs_one_request_at_its_first_turn_and_at_every_other(site: Site, ems_emulator: Emulator) -> None:
    for _ in range(2):
        ems_emulator.forget_requests()
        assert site.call("xio-resume", f"xspot-vm-{POOL}-[1-50]").returncode == 0
        assert len(ems_emulator.requests("POST")) == 50
        assert [request.path for request in ems_emulator.requests("GET")] == ["/v1/xcompute/vms"]
        assert site.call("xio-suspend", f"xspot-vm-{POOL}-[1-50]").returncode == 0


def test_nodes_are_asked_for_side_by_side(site: Site, ems_emulator: Emulator) -> None:
    ems_emulator.change(latency=0.3)
    assert site.call("xio-resume", f"xspot-vm-{POOL}-[1-40]").returncode == 0
    assert 16 <= ems_emulator.peak() <= 32


def test_the_number_of_requests_at_a_time_is_the_configured_one(site: Site, ems_emulator: Emulator) -> None:
    site.change(max_concurrent_requests=3)
    ems_emulator.change(latency=0.05)
    assert site.call("xio-resume", f"xspot-vm-{POOL}-[1-20]").returncode == 0
    assert ems_emulator.peak() == 3


def test_one_refused_node_stops_no_other_that_is_asked_for_already(site: Site, ems_emulator: Emulator) -> None:
    refused = {"method": "POST", "node": "*-2"}
    ems_emulator.add_fault(effect="latency", seconds=1, match=refused)
    ems_emulator.add_fault(effect="status", status=400, error="no such image", match=refused)
    ended = site.call("xio-resume", f"xspot-vm-{POOL}-[1-5]")
    assert ended.returncode == 1
    assert len(ems_emulator.vms()) == 4
    assert f"xspot-vm-{POOL}-2: failed: xio:rejected create the node: EMS 400: no such image" in site.log()


@pytest.mark.parametrize("body", ["json", "text", "html", "empty"])
def test_a_refusal_is_told_whatever_its_form(site: Site, ems_emulator: Emulator, body: str) -> None:
    ems_emulator.add_fault(effect="status", status=500, error="disk failure", body=body, match={"method": "POST"})
    assert site.call("xio-resume", NODE).returncode == 1
    (line,) = [line for line in site.log().splitlines() if "failed: xio:ems" in line]
    assert "EMS 500: " in line
    assert line.rstrip()[-1] != ":"


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_lost_answer_is_resolved_by_looking_not_by_asking_again(site: Site, ems_emulator: Emulator, how: str) -> None:
    ems_emulator.add_fault(effect="lost-answer", how=how, match={"method": "POST"})
    assert site.call("xio-resume", NODE).returncode == 0
    assert len(ems_emulator.requests("POST")) == 1
    entry = site.entry()
    assert entry is not None
    assert entry.phase == "ours"


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "truncated-json"},
        {"effect": "status", "status": 200, "text": "<html>", "done": True},
        {"effect": "status", "status": 500, "done": True},
        {"effect": "status", "status": 102, "done": True},
        {"effect": "latency", "seconds": 6, "when": "after"},
    ],
)
def test_a_vm_that_was_made_behind_a_bad_answer_is_ours(
    site: Site, ems_emulator: Emulator, fault: dict[str, Any]
) -> None:
    ems_emulator.add_fault(**fault, match={"method": "POST"})
    assert site.call("xio-resume", NODE).returncode == 0, site.log()
    assert len(ems_emulator.requests("POST")) + 1 >= len(ems_emulator.all_vms()) == 1


def test_a_lost_request_fails_the_node_and_stays_on_record(site: Site, ems_emulator: Emulator) -> None:
    ems_emulator.add_fault(effect="lost-request", match={"method": "POST"})
    assert site.call("xio-resume", NODE).returncode == 1
    entry = site.entry()
    assert entry is not None
    assert entry.phase == "asking"
    assert entry.error is not None
    assert "failed: xio:ems the EMS at" in site.log()
    assert "; no VM came of it" in site.log()


@pytest.mark.parametrize("existing_vm", ["same", "second", "400", "409"])
@pytest.mark.parametrize("listing", [True, False])
def test_anothers_vm_of_our_name_is_left_and_told(
    site: Site, ems_emulator: Emulator, existing_vm: str, *, listing: bool
) -> None:
    create_elsewhere(ems_emulator)
    ems_emulator.change(existing_vm=existing_vm)
    if not listing:
        ems_emulator.add_fault(effect="status", status=500, match={"path": "/v1/xcompute/vms"})
    ended = site.call("xio-resume", f"{NODE},xspot-vm-b-1")
    assert ended.returncode == 1
    assert sorted(vm.pool for vm in ems_emulator.vms()) == ["b", "theirs"]
    assert f"{NODE}: failed: xio:foreign" in site.log()
    entry = site.entry()
    assert entry is not None
    assert entry.phase == "foreign"
    # And the suspend that Slurm calls for the failed node leaves it alone, too.
    assert site.call("xio-suspend", NODE).returncode == 0
    assert "theirs" in {vm.pool for vm in ems_emulator.vms()}


def test_a_name_that_became_free_is_taken(site: Site, ems_emulator: Emulator) -> None:
    create_elsewhere(ems_emulator)
    assert site.call("xio-resume", NODE).returncode == 1
    assert requests.delete(f"{ems_emulator.url}/v1/xcompute/vm/{NODE}", timeout=10).status_code == 200
    assert site.call("xio-resume", NODE).returncode == 0
    assert [vm.pool for vm in ems_emulator.vms()] == [POOL]


def test_a_second_call_for_the_same_node_adopts_its_vm(site: Site, ems_emulator: Emulator) -> None:
    ems_emulator.change(existing_vm="second")
    assert site.call("xio-resume", NODE).returncode == 0
    assert site.call("xio-resume", NODE).returncode == 0
    assert len(ems_emulator.vms()) == 1
    assert f"{NODE}: adopted" in site.log()


def test_overlapping_calls_for_one_node_make_one_vm(site: Site, ems_emulator: Emulator) -> None:
    ems_emulator.change(existing_vm="second", latency=0.2)
    programs = [site.start("xio-resume", NODE) for _ in range(4)]
    for program in programs:
        program.communicate(timeout=60)
    assert [program.returncode for program in programs] == [0, 0, 0, 0]
    assert len(ems_emulator.vms()) == 1


def test_a_vm_of_an_earlier_turn_is_made_anew(site: Site, ems_emulator: Emulator) -> None:
    assert site.call("xio-resume", NODE).returncode == 0
    entry = site.entry()
    assert entry is not None
    path = site.folder / "state" / "nodes" / f"{NODE}.json"
    path.write_text(path.read_text().replace(str(entry.asked), str(entry.asked - 21)))
    ems_emulator.change(delete_seconds=1)
    assert site.call("xio-resume", NODE).returncode == 0, site.log()
    assert len(ems_emulator.vms()) == 1
    assert len(ems_emulator.all_vms()) == 2


@pytest.mark.parametrize("deleting_get", ["200", "102"])
def test_a_vm_that_is_still_being_deleted_is_waited_for(site: Site, ems_emulator: Emulator, deleting_get: str) -> None:
    assert site.call("xio-resume", NODE).returncode == 0
    site.change(resume_timeout=1, suspend_timeout=1)
    ems_emulator.change(delete_seconds=3, deleting_get=deleting_get)
    assert site.call("xio-suspend", NODE).returncode == 1
    site.change(resume_timeout=20)
    assert site.call("xio-resume", NODE).returncode == 0, site.log()
    assert len(ems_emulator.vms()) == 1
    assert len(ems_emulator.all_vms()) == 2


def test_an_ems_that_is_not_there_is_told_for_every_node(site: Site, ems_emulator: Emulator) -> None:
    site.change(ems_url="http://127.0.0.1:9")
    assert site.call("xio-resume", f"xspot-vm-{POOL}-[1-3]").returncode == 1
    assert (
        f"xspot-vm-{POOL}-[1-3]: failed: xio:unreachable the EMS at http://127.0.0.1:9: can't be reached" in site.log()
    )
    entry = site.entry()
    assert entry is not None
    assert (entry.phase, entry.unanswered) == ("gone", False)


def test_a_manifest_without_the_address_of_the_ems_says_what_to_do(site: Site, ems_emulator: Emulator) -> None:
    site.change(ems_url=None)
    assert site.call("xio-resume", NODE).returncode == 1
    assert "set ManagementServerIp or Plugin: EmsUrl" in site.log()


class _Hanging(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        time.sleep(30)

    def do_POST(self) -> None:
        self.do_GET()


@pytest.fixture
def hanging_ems() -> Iterator[str]:
    """An EMS that takes connections and never answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hanging)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_hanging_ems_holds_no_program_longer_than_slurm_waits(site: Site, hanging_ems: str) -> None:
    site.change(ems_url=hanging_ems, resume_timeout=3)
    started = time.monotonic()
    assert site.call("xio-resume", f"xspot-vm-{POOL}-[1-3]").returncode == 1
    assert time.monotonic() - started < 15
    assert "failed: xio:unreachable" in site.log()


def test_a_killed_program_leaves_a_vm_that_is_known_to_be_ours(site: Site, ems_emulator: Emulator) -> None:
    ems_emulator.add_fault(effect="latency", seconds=2, when="after", match={"method": "POST"})
    program = site.start("xio-resume", NODE)
    ems_emulator.wait_until(ems_emulator.vms)
    program.send_signal(signal.SIGKILL)
    program.communicate(timeout=60)
    ems_emulator.remove_faults()
    entry = site.entry()
    assert entry is not None
    assert entry.phase == "asking"
    assert site.call("xio-resume", NODE).returncode == 0
    assert len(ems_emulator.all_vms()) == 1


def test_a_damaged_ledger_file_fails_that_node_alone(site: Site, ems_emulator: Emulator) -> None:
    assert site.call("xio-resume", NODE).returncode == 0
    (site.folder / "state" / "nodes" / f"{NODE}.json").write_text("{")
    assert site.call("xio-resume", f"xspot-vm-{POOL}-[1-2]").returncode == 1
    assert f"{NODE}: failed: xio:ledger" in site.log()
    assert f"xspot-vm-{POOL}-2: asked" in site.log()


def test_a_state_folder_that_cannot_be_used_makes_no_vm(site: Site, ems_emulator: Emulator) -> None:
    (site.folder / "file").write_text("")
    site.change(state_dir=str(site.folder / "file" / "state"))
    assert site.call("xio-resume", NODE).returncode == 1
    assert "xio:ledger" in site.log()
    assert ems_emulator.all_vms() == []


def test_a_log_folder_that_cannot_be_used_costs_no_vm(site: Site, ems_emulator: Emulator) -> None:
    site.change(log_dir=str(site.folder / "none"))
    ended = site.call("xio-resume", NODE)
    assert ended.returncode == 0
    assert len(ems_emulator.vms()) == 1
    assert "can't be written (No such file or directory)" in ended.stderr


def test_every_line_of_the_events_is_json_and_none_holds_user_data(site: Site, ems_emulator: Emulator) -> None:
    site.change(user_data="#!/bin/sh\n# hidden-from-logs\n")
    assert site.call("xio-resume", f"xspot-vm-{POOL}-[1-2]").returncode == 0
    text = (site.folder / "log" / "events.jsonl").read_text()
    events = [json.loads(line)["event"] for line in text.splitlines()]
    assert sorted(events) == ["asked", "asked", "asking", "asking", "called", "ended"]
    everything = text + site.log()
    assert "hidden" not in everything
    assert base64.b64encode(b"hidden-from-logs")[:12].decode() not in everything


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((f"{NODE}[",), "is no hostlist"),
        ((), "the following arguments are required: HOSTLIST"),
    ],
)
def test_a_call_that_makes_no_sense_does_nothing(
    site: Site, ems_emulator: Emulator, arguments: tuple[str, ...], message: str
) -> None:
    ended = site.call("xio-resume", *(arguments or ("--",)))
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ems_emulator.all_vms() == []


def test_a_missing_manifest_is_one_line_on_stderr(site: Site) -> None:
    (site.folder / "manifest.json").unlink()
    ended = site.call("xio-resume", NODE)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "there is no manifest: 'xio apply' writes it" in ended.stderr
    assert "$XIO_MANIFEST: nothing was done" in ended.stderr
