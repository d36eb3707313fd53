"""Late answers, overtaken calls and lost looks: no VM is left that nobody knows, and none of another's is touched."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.power.conftest import NODE, POOL, Site, create_elsewhere
from xio_slurm.emulator.tool import Emulator


def test_a_vm_that_is_made_after_all_is_ours(site: Site, ems_emulator: Emulator) -> None:
    site.change(read_timeout=1)
    ems_emulator.add_fault(effect="latency", seconds=5, when="before", times=1, match={"method": "POST"})
    assert site.call("xio-resume", NODE).returncode == 1
    assert site.call("xio-suspend", NODE).returncode == 0  # there is nothing yet
    ems_emulator.wait_until(ems_emulator.vms)
    assert site.call("xio-suspend", NODE).returncode == 0
    assert ems_emulator.vms() == []


def test_the_next_resume_makes_a_late_vm_anew(site: Site, ems_emulator: Emulator) -> None:
    site.change(read_timeout=1)
    ems_emulator.add_fault(effect="latency", seconds=5, when="before", times=1, match={"method": "POST"})
    assert site.call("xio-resume", NODE).returncode == 1
    assert site.call("xio-suspend", NODE).returncode == 0
    ems_emulator.wait_until(ems_emulator.vms)
    assert site.call("xio-resume", NODE).returncode == 0, site.log()
    assert (len(ems_emulator.vms()), len(ems_emulator.all_vms())) == (1, 2)


def test_a_resume_that_a_suspend_overtook_makes_no_vm(site: Site, ems_emulator: Emulator) -> None:
    ems_emulator.add_fault(effect="latency", seconds=3, times=1, match={"path": "/v1/xcompute/vms"})
    resume = site.start("xio-resume", NODE)
    ems_emulator.wait_until(lambda: "called" in site.log())
    time.sleep(0.5)
    assert site.call("xio-suspend", NODE).returncode == 0
    assert resume.poll() is None
    resume.communicate(timeout=60)
    assert ems_emulator.all_vms() == []
    assert "a program that was called later has seen to it" in site.log()


def test_a_suspend_gets_its_turn_while_an_earlier_vm_goes(site: Site, ems_emulator: Emulator) -> None:
    assert site.call("xio-resume", NODE).returncode == 0
    entry = site.entry()
    assert entry is not None
    path = site.folder / "state" / "nodes" / f"{NODE}.json"
    path.write_text(path.read_text().replace(str(entry.asked), str(entry.asked - 3600)))
    ems_emulator.change(delete_seconds=4)
    resume = site.start("xio-resume", NODE)
    ems_emulator.wait_until(lambda: ems_emulator.requests("DELETE"))
    assert site.call("xio-suspend", NODE).returncode == 0, site.log()
    resume.communicate(timeout=60)
    assert (ems_emulator.vms(), len(ems_emulator.all_vms())) == ([], 1)


def test_after_a_look_that_failed_anothers_vm_is_left(site: Site, ems_emulator: Emulator) -> None:
    create_elsewhere(ems_emulator)
    looks = ems_emulator.add_fault(effect="status", status=503, match={"method": "GET"})
    assert site.call("xio-resume", NODE).returncode == 1
    ems_emulator.remove_fault(looks)
    assert site.call("xio-suspend", NODE).returncode == 0
    assert [vm.pool for vm in ems_emulator.vms()] == ["theirs"]


def test_a_vm_from_before_us_is_deleted_on_slurms_word(site: Site, ems_emulator: Emulator) -> None:
    # A cluster that changes over from other programs has VMs that no ledger knows.
    create_elsewhere(ems_emulator, POOL)
    assert site.call("xio-suspend", NODE).returncode == 0
    assert ems_emulator.vms() == []


def test_a_refusal_that_meets_a_late_vm_of_ours_does_not_make_it_foreign(site: Site, ems_emulator: Emulator) -> None:
    site.change(read_timeout=1)
    ems_emulator.change(existing_vm="409")
    ems_emulator.add_fault(effect="latency", seconds=4, when="before", times=1, match={"method": "POST"})
    assert site.call("xio-resume", NODE).returncode == 1
    ems_emulator.add_fault(effect="latency", seconds=6, when="before", times=1, match={"method": "POST"})
    site.change(read_timeout=10)
    assert site.call("xio-resume", NODE).returncode == 0, site.log()
    assert site.call("xio-suspend", NODE).returncode == 0
    assert ems_emulator.vms() == []


@pytest.fixture
def read_only_state(site: Site, ems_emulator: Emulator) -> Iterator[Path]:
    """The state folder on a file system that an error made read-only, with a node whose VM is ours."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    state = site.folder / "mounted"
    state.mkdir()
    subprocess.run(["/usr/bin/mount", "-t", "tmpfs", "tmpfs", state], check=True)
    try:
        site.change(state_dir=str(state))
        assert site.call("xio-resume", NODE).returncode == 0
        subprocess.run(["/usr/bin/mount", "-o", "remount,ro", state], check=True)
        yield state
    finally:
        subprocess.run(["/usr/bin/umount", state], check=True)


def test_a_read_only_disk_does_not_save_a_vm(site: Site, ems_emulator: Emulator, read_only_state: Path) -> None:
    assert site.call("xio-suspend", NODE).returncode == 0, site.log()
    assert ems_emulator.vms() == []
    assert site.call("xio-resume", f"xspot-vm-{POOL}-2").returncode == 1
    assert ems_emulator.vms() == []
    assert "Read-only file system" in site.log()


@pytest.mark.parametrize("text", ["[" * 100_000, '{"Vms": 3}', "<title>" * 9000])
def test_an_odd_document_fails_no_more_than_its_request(site: Site, ems_emulator: Emulator, text: str) -> None:
    ems_emulator.add_fault(effect="status", status=200, text=text, match={"path": "/v1/xcompute/vms"})
    assert site.call("xio-resume", NODE).returncode == 0, site.log()
    assert site.call("xio-suspend", NODE).returncode == 0, site.log()
    assert ems_emulator.vms() == []
    assert "bug" not in site.log()


def test_a_hanging_scontrol_holds_nobody_for_long(site: Site, ems_emulator: Emulator) -> None:
    slow = site.folder / "bin"
    slow.mkdir()
    (slow / "scontrol").write_text("#!/bin/sh\nexec sleep 100\n")
    (slow / "scontrol").chmod(0o755)
    site.change(slurm_bin_dir=str(slow), resume_timeout=8)
    ems_emulator.add_fault(effect="status", status=400, match={"method": "POST"})
    started = time.monotonic()
    assert site.call("xio-resume", NODE).returncode == 1
    assert time.monotonic() - started < 20
    assert "Slurm can't be told of the failed nodes: scontrol show node" in site.log()


def test_a_suspend_that_a_resume_overtook_ends_and_calls_nothing_a_failure(site: Site, ems_emulator: Emulator) -> None:
    assert site.call("xio-resume", NODE).returncode == 0
    ems_emulator.change(delete_seconds=1.5)  # between the looks of the suspend at 1.4 and 3 seconds
    suspend = site.start("xio-suspend", NODE)
    ems_emulator.wait_until(lambda: ems_emulator.requests("DELETE"))
    ems_emulator.wait_until(lambda: re.search(r"xio-suspend\[\d+\] INFO: called for", site.log()))
    assert site.call("xio-resume", NODE).returncode == 0, site.log()
    suspend.communicate(timeout=60)
    assert suspend.returncode == 0, site.log()
    assert (len(ems_emulator.vms()), len(ems_emulator.all_vms())) == (1, 2)
