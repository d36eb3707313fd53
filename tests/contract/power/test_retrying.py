"""What xio-resume does about failures that pass: it tries again, and never makes a second VM."""

import json
import threading
import time
from typing import Any

import pytest

from tests.contract.power.conftest import NODE, POOL, Site
from tests.door import Door
from xio_slurm.deadline import Deadline
from xio_slurm.emulator.tool import Emulator
from xio_slurm.ledger import Run
from xio_slurm.manifest import Recovery


@pytest.fixture
def patient(site: Site) -> Site:
    """A head node whose programs try again for ten seconds."""
    site.change(resume_timeout=40, recovery=Recovery(retry_seconds=10))
    return site


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "status", "status": 500, "error": "disk failure"},
        {"effect": "status", "status": 502, "text": "<title>Bad Gateway</title>"},
        {"effect": "status", "status": 503, "text": "<html><title>Service Unavailable</title>"},
        {"effect": "status", "status": 429, "error": "too many requests"},
    ],
)
def test_what_passes_is_tried_again(patient: Site, ems_emulator: Emulator, fault: dict[str, Any]) -> None:
    ems_emulator.add_fault(**fault, times=2, match={"method": "POST"})
    assert patient.call("xio-resume", NODE).returncode == 0, patient.log()
    assert [request.status for request in ems_emulator.requests("POST")][-1] == 200
    assert len(ems_emulator.requests("POST")) == 3
    assert len(ems_emulator.all_vms()) == 1
    entry = patient.entry()
    assert entry is not None
    assert (entry.phase, entry.unanswered) == ("ours", False)


@pytest.mark.parametrize(("status", "code"), [(503, "capacity"), (400, "rejected")])
def test_what_does_not_pass_is_asked_once(patient: Site, ems_emulator: Emulator, status: int, code: str) -> None:
    ems_emulator.add_fault(effect="status", status=status, error="no", match={"method": "POST"})
    started = time.monotonic()
    assert patient.call("xio-resume", NODE).returncode == 1
    assert time.monotonic() - started < 20
    assert len(ems_emulator.requests("POST")) == 1
    assert f"{NODE}: failed: xio:{code} create the node: EMS {status}: no" in patient.log()


def test_an_ems_that_restarts_is_waited_for(patient: Site, ems_emulator: Emulator) -> None:
    with Door(int(ems_emulator.url.rpartition(":")[2])) as door:
        patient.change(ems_url=door.url)
        door.close()  # connections are refused
        timer = threading.Timer(3, door.open)
        timer.start()
        assert patient.call("xio-resume", f"xspot-vm-{POOL}-[1-3]").returncode == 0, patient.log()
        timer.join()
    assert len(ems_emulator.all_vms()) == 3


def test_after_a_lost_answer_the_ems_is_looked_at_for_a_while_before_it_is_asked_again(
    patient: Site, ems_emulator: Emulator
) -> None:
    ems_emulator.add_fault(effect="lost-request", times=1, match={"method": "POST"})
    assert patient.call("xio-resume", NODE).returncode == 0, patient.log()
    first, second = (request.time for request in ems_emulator.requests("POST"))
    assert second - first > 5
    assert len([look for look in ems_emulator.requests("GET", NODE) if first < look.time < second]) >= 3
    entry = patient.entry()
    assert entry is not None
    assert (entry.phase, entry.unanswered) == ("ours", True)  # the first may still come


def test_a_request_that_is_carried_out_late_makes_no_second_vm(patient: Site, ems_emulator: Emulator) -> None:
    patient.change(read_timeout=1)
    ems_emulator.change(existing_vm="second")
    ems_emulator.add_fault(effect="latency", seconds=4, when="before", times=1, match={"method": "POST"})
    assert patient.call("xio-resume", NODE).returncode == 0, patient.log()
    assert f"{NODE}: adopted" in patient.log()
    assert len(ems_emulator.all_vms()) == 1


def test_lost_looks_are_no_reason_to_ask_again_soon(patient: Site, ems_emulator: Emulator) -> None:
    ems_emulator.change(existing_vm="second")
    ems_emulator.add_fault(effect="lost-answer", times=1, match={"method": "POST"})
    ems_emulator.add_fault(effect="status", status=503, times=2, match={"method": "GET", "path": "*/vm/*"})
    assert patient.call("xio-resume", NODE).returncode == 0, patient.log()
    assert len(ems_emulator.all_vms()) == 1


def test_a_suspend_gets_its_turn_between_two_tries(patient: Site, ems_emulator: Emulator) -> None:
    ems_emulator.add_fault(effect="status", status=500, match={"method": "POST"})
    resume = patient.start("xio-resume", NODE)
    ems_emulator.wait_until(lambda: ems_emulator.requests("POST"))
    assert patient.call("xio-suspend", NODE).returncode == 0, patient.log()
    resume.communicate(timeout=60)
    assert "a program that was called later has seen to it" in patient.log()
    assert ems_emulator.all_vms() == []


def test_tries_end_with_a_quarter_of_resume_timeout(site: Site, ems_emulator: Emulator) -> None:
    site.change(resume_timeout=24, recovery=Recovery(retry_seconds=60))
    ems_emulator.add_fault(effect="status", status=500, error="disk failure", match={"method": "POST"})
    assert site.call("xio-resume", NODE).returncode == 1
    times = [request.time for request in ems_emulator.requests("POST")]
    assert len(times) >= 2
    assert times[-1] - times[0] < 12
    assert "failed: xio:ems create the node: EMS 500: disk failure" in site.log()


def test_no_delete_that_fails_closes_a_pool(site: Site, ems_emulator: Emulator) -> None:
    assert site.call("xio-resume", NODE).returncode == 0
    entry = site.entry()
    assert entry is not None
    with site.ledger.locked(NODE, Deadline.after(1)) as slot:
        slot.write(entry.at("deleting", Run("earlier", entry.run.called - 10)))
    ems_emulator.add_fault(effect="status", status=503, error="insufficient capacity", match={"method": "DELETE"})
    assert site.call("xio-resume", NODE).returncode == 1
    assert "failed: xio:ems" in site.log()
    assert not list((site.folder / "state" / "pools").glob("*.json"))


def test_no_look_that_fails_closes_a_pool(site: Site, ems_emulator: Emulator) -> None:
    ems_emulator.add_fault(effect="status", status=503, error="insufficient capacity", match={"method": "GET"})
    assert site.call("xio-resume", NODE).returncode == 1
    assert "failed: xio:ems" in site.log()
    assert not list((site.folder / "state" / "pools").glob("*.json"))
    events = [json.loads(line) for line in (site.folder / "log" / "events.jsonl").read_text().splitlines()]
    assert "closed" not in {event["event"] for event in events}
