"""``xio vm test`` that is broken off: no VM is left that isn't told, or known to be ours."""

import signal
import time

import pytest

from tests.contract.vm.conftest import Running, Site, one_line_each
from xio_slurm.emulator.records import Vm

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def _test_vms(site: Site) -> list[Vm]:
    return [vm for vm in site.ems.vms() if vm.node.startswith("xio-test-")]


def _interrupted(running: Running) -> None:
    code, _, err = running.end()
    assert code == 130, err
    assert one_line_each(err), err


@pytest.mark.parametrize("number", SIGNALS)
def test_while_the_vms_are_listed(site: Site, number: signal.Signals) -> None:
    site.ems.add_fault(effect="latency", seconds=0.8, match={"path": "/v1/xcompute/vms"})
    running = site.start_test()
    site.ems.wait_until(lambda: site.ems.faults()[0].hits)
    running.signal(number)
    _interrupted(running)
    assert site.ems.requests("POST") == []
    assert all(entry.phase == "gone" for entry in site.tests_in_ledger())


@pytest.mark.parametrize("number", SIGNALS)
def test_while_the_ems_is_asked(site: Site, number: signal.Signals) -> None:
    site.ems.add_fault(effect="latency", seconds=0.6, when="after", match={"method": "POST"})
    running = site.start_test()
    site.ems.wait_until(lambda: _test_vms(site))
    running.signal(number)
    running.wait_for_error("interrupted: the VM is deleted first")
    _interrupted(running)
    assert _test_vms(site) == []
    assert len(site.ems.all_vms()) == 2


def test_while_the_ems_is_asked_and_the_answer_is_lost(site: Site) -> None:
    site.ems.add_fault(effect="latency", seconds=0.6, when="after", match={"method": "POST"})
    site.ems.add_fault(effect="lost-answer", match={"method": "POST"})
    running = site.start_test()
    site.ems.wait_until(lambda: _test_vms(site))
    running.signal(signal.SIGINT)
    _interrupted(running)
    assert _test_vms(site) == []


@pytest.mark.parametrize("number", SIGNALS)
def test_while_it_boots(site: Site, number: signal.Signals) -> None:
    site.ems.change(boot_seconds=60)
    running = site.start_test()
    running.wait_for("controller")
    started = time.monotonic()
    running.signal(number)
    _interrupted(running)
    assert time.monotonic() - started < 30
    assert _test_vms(site) == []
    assert site.tests_in_ledger()[0].phase == "gone"


def test_while_it_is_deleted(site: Site) -> None:
    site.ems.change(delete_seconds=1)
    running = site.start_test()
    running.wait_for("deleting")
    running.signal(signal.SIGINT)
    _interrupted(running)
    assert _test_vms(site) == []


def test_a_second_sigterm_does_not_leave_the_vm(site: Site) -> None:
    site.ems.change(boot_seconds=60, delete_seconds=1)
    running = site.start_test()
    running.wait_for("controller")
    running.signal(signal.SIGTERM)
    running.wait_for("deleting")
    time.sleep(0.5)  # a second one, and not the same again
    running.signal(signal.SIGTERM)
    _interrupted(running)
    assert _test_vms(site) == []


def test_a_second_ctrl_c_says_what_is_left_and_how_to_delete_it(site: Site) -> None:
    site.ems.change(boot_seconds=60)
    fault = site.ems.add_fault(effect="slow-delete", seconds=600)
    running = site.start_test()
    running.wait_for("controller")
    running.signal(signal.SIGINT)
    running.wait_for("deleting")
    time.sleep(0.5)  # a second one, and not the same again
    started = time.monotonic()
    running.signal(signal.SIGINT)
    code, _, err = running.end()
    assert time.monotonic() - started < 15
    assert code == 130
    assert one_line_each(err)
    (vm,) = _test_vms(site)
    assert f"{vm.node} may be left, and costs: delete it with:\n    xio vm delete {vm.node} --manifest" in err
    assert site.tests_in_ledger()[0].phase == "deleting"
    site.ems.remove_fault(fault)


def test_with_keep_it_is_left_and_told(site: Site) -> None:
    site.ems.change(boot_seconds=60)
    running = site.start_test("--keep")
    running.wait_for("controller")
    running.signal(signal.SIGINT)
    code, _, err = running.end()
    assert code == 130
    (vm,) = _test_vms(site)
    assert f"{vm.node} is kept" in err


def test_what_a_sigkill_leaves_is_ours_and_can_be_deleted(site: Site) -> None:
    site.ems.change(boot_seconds=60)
    running = site.start_test()
    running.wait_for("controller")
    running.signal(signal.SIGKILL)
    running.end()
    (vm,) = _test_vms(site)
    (listed,) = site.json("list")["vms"]
    assert (listed["node"], listed["whose"], listed["state"]) == (vm.node, "ours", "booting")
    site.ems.change(boot_seconds=0.05)
    assert vm.node in site.test().stderr
    assert site.xio("delete", vm.node, "--yes").returncode == 0
    assert _test_vms(site) == []


def test_what_a_sigkill_leaves_while_the_ems_is_asked_is_ours_too(site: Site) -> None:
    fault = site.ems.add_fault(effect="latency", seconds=5, when="after", match={"method": "POST"})
    site.change(read_timeout=30)
    running = site.start_test()
    site.ems.wait_until(lambda: _test_vms(site))
    running.signal(signal.SIGKILL)
    running.end()
    site.ems.remove_fault(fault)
    (vm,) = _test_vms(site)
    assert site.tests_in_ledger()[0].phase == "asking"
    assert site.xio("delete", vm.node, "--yes").returncode == 0
    assert _test_vms(site) == []
