"""xio-suspend and xio-resume-fail: a VM is gone when the EMS shows no more of it, and not before."""

import re
import time
from typing import Any

import pytest

from tests.contract.power.conftest import NODE, POOL, Site, create_elsewhere
from xio_slurm.deadline import Deadline
from xio_slurm.emulator.tool import Emulator
from xio_slurm.slurm.hostlist import CHUNK

NODES = f"xspot-vm-{POOL}-[1-3]"


@pytest.fixture(params=["xio-suspend", "xio-resume-fail"])
def program(request: pytest.FixtureRequest) -> str:
    """Both programs destroy VMs."""
    name: str = request.param
    return name


def test_the_vms_are_gone_and_forgotten(site: Site, ems_emulator: Emulator, program: str) -> None:
    assert site.call("xio-resume", NODES).returncode == 0
    assert site.call(program, NODES).returncode == 0, site.log()
    assert ems_emulator.vms() == []
    assert list(site.ledger.entries()) == []
    assert f"{NODES}: gone" in site.log()


def test_a_node_costs_one_request(site: Site, ems_emulator: Emulator, program: str) -> None:
    assert site.call("xio-resume", f"xspot-vm-{POOL}-[1-50]").returncode == 0
    ems_emulator.forget_requests()
    assert site.call(program, f"xspot-vm-{POOL}-[1-50]").returncode == 0
    assert len(ems_emulator.requests("DELETE")) == 50
    assert [request.path for request in ems_emulator.requests("GET")] == ["/v1/xcompute/vms"]


def test_many_are_forgotten_while_others_are_deleted(site: Site, ems_emulator: Emulator) -> None:
    site.change(read_timeout=60)
    many, slow = f"xspot-vm-{POOL}-[1-{CHUNK + 9}]", f"xspot-vm-{POOL}-{CHUNK + 9}"
    assert site.call("xio-resume", many).returncode == 0
    ems_emulator.forget_requests()
    ems_emulator.add_fault(effect="latency", seconds=12, match={"method": "DELETE", "node": slow})
    with site.start("xio-suspend", many) as program:
        ems_emulator.wait_until(lambda: ems_emulator.requests("GET") != [])
        ems_emulator.wait_until(lambda: len([*site.ledger.entries()]) <= 9, 60)
        assert slow in {vm.node for vm in ems_emulator.vms()}
        assert program.wait(60) == 0
    assert list(site.ledger.entries()) == []
    assert len(ems_emulator.requests("DELETE")) == CHUNK + 9
    assert [request.path for request in ems_emulator.requests("GET")] == ["/v1/xcompute/vms"] * 2


@pytest.mark.parametrize("missing_delete", ["200", "404"])
def test_a_node_without_a_vm_is_fine(site: Site, ems_emulator: Emulator, program: str, missing_delete: str) -> None:
    ems_emulator.change(missing_delete=missing_delete)
    assert site.call(program, NODES).returncode == 0
    assert list(site.ledger.entries()) == []


@pytest.mark.parametrize("deleting_get", ["200", "102"])
@pytest.mark.parametrize("listing", [True, False])
def test_a_slow_delete_is_followed_to_its_end(
    site: Site, ems_emulator: Emulator, deleting_get: str, *, listing: bool
) -> None:
    assert site.call("xio-resume", NODES).returncode == 0
    ems_emulator.change(delete_seconds=1.5, deleting_get=deleting_get)
    if not listing:
        ems_emulator.add_fault(effect="status", status=500, match={"path": "/v1/xcompute/vms"})
    assert site.call("xio-suspend", NODES).returncode == 0, site.log()
    assert ems_emulator.vms() == []


def test_one_look_at_a_node_alone_does_not_prove_its_vm_gone(site: Site, ems_emulator: Emulator) -> None:
    assert site.call("xio-resume", NODE).returncode == 0
    ems_emulator.add_fault(effect="status", status=500, match={"method": "DELETE"}, times=1)
    ems_emulator.add_fault(effect="status", status=500, match={"path": "/v1/xcompute/vms"})
    ems_emulator.add_fault(effect="status", status=404, match={"method": "GET", "path": "*/vm/*"}, times=1)
    assert site.call("xio-suspend", NODE).returncode == 0, site.log()
    assert ems_emulator.vms() == []


def test_a_delete_that_does_not_end_is_told_and_stays_on_record(site: Site, ems_emulator: Emulator) -> None:
    assert site.call("xio-resume", NODE).returncode == 0
    site.change(resume_timeout=2, suspend_timeout=2)
    ems_emulator.change(delete_seconds=60)
    started = time.monotonic()
    assert site.call("xio-suspend", NODE).returncode == 1
    assert time.monotonic() - started < 15
    entry = site.entry()
    assert entry is not None
    assert entry.phase == "deleting"
    assert "the EMS was asked to delete the VM and still has it" in site.log()


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "status", "status": 200, "text": "{}"},
        {"effect": "status", "status": 503},
        {"effect": "lost-request"},
    ],
)
def test_a_lost_or_refused_delete_is_asked_again(site: Site, ems_emulator: Emulator, fault: dict[str, Any]) -> None:
    assert site.call("xio-resume", NODE).returncode == 0
    ems_emulator.add_fault(**fault, times=1, match={"method": "DELETE"})
    assert site.call("xio-suspend", NODE).returncode == 0, site.log()
    assert ems_emulator.vms() == []


def test_both_vms_of_one_name_are_deleted(site: Site, ems_emulator: Emulator) -> None:
    assert site.call("xio-resume", NODE).returncode == 0
    ems_emulator.change(existing_vm="second", twin_delete="one")
    create_elsewhere(ems_emulator, POOL)
    assert len(ems_emulator.vms()) == 2
    assert site.call("xio-suspend", NODE).returncode == 0, site.log()
    assert ems_emulator.vms() == []


def test_one_failed_delete_stops_no_other(site: Site, ems_emulator: Emulator, program: str) -> None:
    assert site.call("xio-resume", NODES).returncode == 0
    ems_emulator.add_fault(effect="status", status=500, match={"method": "DELETE", "node": "*-2"})
    site.change(resume_timeout=3, suspend_timeout=3)
    assert site.call(program, NODES).returncode == 1
    assert [vm.node for vm in ems_emulator.vms()] == [f"xspot-vm-{POOL}-2"]
    assert [entry.phase for entry in site.ledger.entries()] == ["deleting"]


def test_an_earlier_suspend_yields_to_a_later_resume(site: Site, ems_emulator: Emulator) -> None:
    assert site.call("xio-resume", NODE).returncode == 0
    # As if the resume had been called after the suspend, which got the node's lock only now.
    path = site.folder / "state" / "nodes" / f"{NODE}.json"
    entry = site.entry()
    assert entry is not None
    program = site.start("xio-suspend", NODE)
    with site.ledger.locked(NODE, Deadline.after(5)):
        end = Deadline.after(30)
        while not (re.search(r"xio-suspend\[\d+\] INFO: called for", site.log()) or end.passed()):
            time.sleep(0.02)
        path.write_text(path.read_text().replace(str(entry.run.called), str(time.time())))
    program.communicate(timeout=60)
    assert program.returncode == 0
    assert len(ems_emulator.vms()) == 1
    assert "left as it is: a program that was called later has seen to it" in site.log()


def test_a_full_disk_does_not_save_a_vm(site: Site, ems_emulator: Emulator) -> None:
    assert site.call("xio-resume", NODE).returncode == 0
    nodes = site.folder / "state" / "nodes"
    entry = (nodes / f"{NODE}.json").read_text()
    (nodes / f"{NODE}.json").write_text(entry + "\n" * 4096)  # no line fits in there any more
    (nodes / f"{NODE}.new").mkdir()  # and what would be in its place can't be written
    assert site.call("xio-suspend", NODE).returncode == 0, site.log()
    assert ems_emulator.vms() == []
    assert "is deleted all the same" in site.log()


def test_an_ems_that_is_not_there_is_told(site: Site, program: str) -> None:
    site.change(ems_url="http://127.0.0.1:9", resume_timeout=2, suspend_timeout=2)
    assert site.call(program, NODES).returncode == 1
    assert "xio:unreachable" in site.log()
