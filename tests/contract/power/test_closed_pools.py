"""The pools' breakers as the programs use them: a closed pool costs no request, and one refusal is enough."""

import json
import time
from typing import Any

import pytest
from msgspec import structs

from tests.contract.power.conftest import NODE, POOL, Site
from xio_slurm.deadline import Deadline
from xio_slurm.emulator.tool import Emulator
from xio_slurm.ledger import Run
from xio_slurm.manifest import Recovery
from xio_slurm.power.breaker import EVERY_POOL, Breaker
from xio_slurm.power.breakers import Breakers
from xio_slurm.power.situation import Gate

MANY = f"xspot-vm-{POOL}-[1-40]"
CLOSED = Breaker(POOL, Gate.CLOSED, "capacity", "EMS 503: none", seconds=60.0)


def put(site: Site, breaker: Breaker, *, until: float | None = 60.0) -> None:
    """Have a breaker stand so, since now; ``until`` in seconds from now."""
    now = time.time()
    stands = structs.replace(breaker, since=now - 1, until=None if until is None else now + until)
    Breakers(site.manifest.state_dir).change(breaker.pool, lambda _: stands, Deadline.after(5))


def breaker_of(site: Site, pool: str) -> Breaker:
    """A pool's breaker."""
    return Breakers(site.manifest.state_dir).read().get(pool, Breaker(pool))


def events(site: Site, event: str) -> list[dict[str, Any]]:
    """The events of that kind."""
    lines = (json.loads(line) for line in (site.folder / "log" / "events.jsonl").read_text().splitlines())
    return [line for line in lines if line["event"] == event]


def test_a_closed_pool_costs_no_request_and_stops_no_other(site: Site, ems_emulator: Emulator) -> None:
    put(site, CLOSED)
    assert site.call("xio-resume", f"{MANY},xspot-vm-b-1").returncode == 1
    assert [vm.node for vm in ems_emulator.vms()] == ["xspot-vm-b-1"]
    assert [request.path for request in ems_emulator.requests()] == ["/v1/xcompute/vms", "/v1/xcompute/vm"]
    (line,) = [line for line in site.log().splitlines() if ": failed: " in line]
    assert f"{MANY}: failed: xio:closed pool {POOL} is closed until " in line
    assert line.endswith(": EMS 503: none")


def test_a_node_of_a_closed_pool_leaves_anothers_vm_to_the_suspend(site: Site, ems_emulator: Emulator) -> None:
    put(site, CLOSED)
    assert site.call("xio-resume", NODE).returncode == 1
    entry = site.entry()
    assert entry is not None
    assert entry.phase == "gone"


@pytest.mark.parametrize(("status", "code"), [(503, "capacity"), (400, "rejected")])
def test_the_first_refusal_closes_the_pool_for_the_rest_of_the_call(
    site: Site, ems_emulator: Emulator, status: int, code: str
) -> None:
    site.change(max_concurrent_requests=4)
    ems_emulator.add_fault(effect="status", status=status, error="none", match={"method": "POST", "pool": POOL})
    assert site.call("xio-resume", f"{MANY},xspot-vm-b-[1-4]").returncode == 1
    assert len([request for request in ems_emulator.requests("POST") if request.status == status]) <= 4
    assert len(ems_emulator.vms()) == 4
    failed = [line for line in site.log().splitlines() if ": failed: " in line]
    assert len(failed) == 1
    assert f"{MANY}: failed: xio:{code} create the node: EMS {status}: none" in failed[0]
    breaker = breaker_of(site, POOL)
    assert (breaker.gate, breaker.cause, breaker.seconds) == (Gate.CLOSED, code, 60.0)
    assert breaker_of(site, "b") == Breaker("b")
    (closed,) = events(site, "closed")
    assert (closed["pool"], closed["cause"]) == (POOL, code)
    assert site.log().count(f"ERROR: xio:{code} pool {POOL} is closed until ") == 1


def test_an_ems_that_is_away_closes_all_pools_at_once(site: Site, ems_emulator: Emulator) -> None:
    site.change(ems_url="http://127.0.0.1:9", max_concurrent_requests=4)
    started = time.monotonic()
    assert site.call("xio-resume", f"{MANY},xspot-vm-b-[1-9]").returncode == 1
    assert time.monotonic() - started < 20  # and not for each four of them anew
    assert (breaker_of(site, EVERY_POOL).gate, breaker_of(site, EVERY_POOL).cause) == (Gate.CLOSED, "unreachable")
    assert len(events(site, "closed")) == 1
    site.change(ems_url=ems_emulator.url)
    assert site.call("xio-resume", "xspot-vm-b-1").returncode == 1
    assert ems_emulator.requests("POST") == []
    assert "failed: xio:closed all pools are closed until" in site.log()


def test_a_half_open_pool_is_tried_and_opens(site: Site, ems_emulator: Emulator) -> None:
    put(site, structs.replace(CLOSED, gate=Gate.HALF_OPEN))
    put(site, structs.replace(CLOSED, pool=EVERY_POOL, gate=Gate.HALF_OPEN, cause="unreachable"))
    assert site.call("xio-resume", NODE).returncode == 0, site.log()
    assert Breakers(site.manifest.state_dir).read() == {}
    assert {event["pool"] for event in events(site, "opened")} == {POOL, "all"}


def test_a_half_open_pool_that_refuses_closes_for_twice_as_long(site: Site, ems_emulator: Emulator) -> None:
    put(site, structs.replace(CLOSED, gate=Gate.HALF_OPEN))
    ems_emulator.add_fault(effect="no-capacity")
    assert site.call("xio-resume", NODE).returncode == 1
    assert (breaker_of(site, POOL).gate, breaker_of(site, POOL).seconds) == (Gate.CLOSED, 120.0)


def test_a_closing_that_is_over_is_tried_without_sync_too(site: Site, ems_emulator: Emulator) -> None:
    put(site, CLOSED, until=-0.5)
    ems_emulator.add_fault(effect="no-capacity", times=1)
    assert site.call("xio-resume", NODE).returncode == 1
    assert breaker_of(site, POOL).seconds == 120.0
    assert len(events(site, "closed")) == 1
    put(site, CLOSED, until=-0.5)
    assert site.call("xio-resume", NODE).returncode == 0
    assert breaker_of(site, POOL) == Breaker(POOL)


def test_what_was_closed_by_hand_stays_so(site: Site, ems_emulator: Emulator) -> None:
    put(site, structs.replace(CLOSED, cause="administrator", text="maintenance"), until=None)
    assert site.call("xio-resume", NODE).returncode == 1
    assert f"xio:closed pool {POOL} is closed until it is opened by hand: maintenance" in site.log()


def test_a_refusal_beside_a_success_leaves_the_pool_closed(site: Site, ems_emulator: Emulator) -> None:
    put(site, structs.replace(CLOSED, gate=Gate.HALF_OPEN))
    ems_emulator.add_fault(effect="no-capacity", match={"node": "*-2"})
    ems_emulator.add_fault(effect="latency", seconds=0.5, match={"node": "*-2", "method": "POST"})
    assert site.call("xio-resume", f"xspot-vm-{POOL}-[1-2]").returncode == 1
    assert [vm.node for vm in ems_emulator.vms()] == [NODE]
    assert breaker_of(site, POOL).gate is Gate.CLOSED


def test_all_pools_of_a_profile_are_told_of_in_one_line(site: Site, ems_emulator: Emulator) -> None:
    ems_emulator.add_fault(effect="no-capacity")
    assert site.call("xio-resume", f"{NODE},xspot-vm-b-1").returncode == 1
    assert site.log().count("all 2 pools of profile amd are closed: their jobs wait") == 1
    assert len(events(site, "closed-profile")) == 1


def test_a_breaker_that_cannot_be_read_stands_in_nobodys_way(site: Site, ems_emulator: Emulator) -> None:
    put(site, CLOSED)
    (site.folder / "state" / "pools" / f"{POOL}.json").write_text("{")
    assert site.call("xio-resume", NODE).returncode == 0, site.log()


def test_nodes_that_slurm_gave_up_are_counted_and_close_their_pool(site: Site, ems_emulator: Emulator) -> None:
    site.change(recovery=Recovery(boot_failures=4))
    assert site.call("xio-resume", f"xspot-vm-{POOL}-[1-3]").returncode == 0
    assert site.call("xio-resume-fail", f"xspot-vm-{POOL}-[1-3],xspot-vm-{POOL}-9").returncode == 0, site.log()
    assert ems_emulator.vms() == []
    assert (breaker_of(site, POOL).gate, breaker_of(site, POOL).boot_failures) == (Gate.OPEN, 3)
    assert len(events(site, "boot-failed")) == 3  # the ninth was never asked for
    assert site.call("xio-resume-fail", f"xspot-vm-{POOL}-2").returncode == 0
    assert breaker_of(site, POOL).boot_failures == 3  # its VM is gone
    assert site.call("xio-resume", NODE).returncode == 0
    assert site.call("xio-resume-fail", NODE).returncode == 0
    breaker = breaker_of(site, POOL)
    assert (breaker.gate, breaker.cause, breaker.until) == (Gate.CLOSED, "boot", None)
    assert f"xio:boot pool {POOL} is closed until it is opened by hand" in site.log()


@pytest.mark.parametrize(("age", "left"), [(5.0, 3), (60.0, 0)])
def test_a_node_that_came_up_ends_the_row_of_boot_failures(
    site: Site, ems_emulator: Emulator, age: float, left: int
) -> None:
    put(site, Breaker(POOL, boot_failures=3))
    assert site.call("xio-resume", NODE).returncode == 0
    entry = site.entry()
    assert entry is not None
    with site.ledger.locked(NODE, Deadline.after(5)) as slot:
        slot.write(structs.replace(entry, run=Run("earlier", entry.run.called - age), asked=entry.asked - age))
    assert site.call("xio-suspend", NODE).returncode == 0
    assert breaker_of(site, POOL).boot_failures == left
