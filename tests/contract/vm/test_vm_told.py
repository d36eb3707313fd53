"""What somebody who waits for ``xio vm`` is told, and a program that gets an error."""

import json
import re
import time

import pexpect
import pytest

from tests.contract.vm.conftest import NODE, POOL, Site, make_vm


@pytest.mark.parametrize("arguments", [("list",), ("show", NODE)], ids=" ".join)
def test_who_waits_for_the_ems_is_told(site: Site, arguments: tuple[str, ...]) -> None:
    make_vm(site.ems, NODE)
    assert site.xio(*arguments).stderr == ""
    site.change(read_timeout=10)
    site.ems.add_fault(effect="latency", seconds=2.5, times=1)
    done = site.xio(*arguments)
    assert done.returncode == 0
    assert re.fullmatch(r"asking the EMS for .* \.\.\.\n", done.stderr)


@pytest.mark.parametrize("arguments", [("list",), ("show", NODE), ("delete", NODE, "--yes"), ("test", "--pool", POOL)])
def test_an_error_is_one_document_for_programs(site: Site, arguments: tuple[str, ...]) -> None:
    site.change(ems_url="http://127.0.0.1:9")
    done = site.xio(*arguments, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"complete": False, "errors": [done.stderr.strip().removeprefix("xio: ")]}
    assert "can't be reached" in done.stderr


def test_a_test_says_what_it_waits_for(site: Site) -> None:
    steps = [line.split(" s  ", 1)[1] for line in site.test().stdout.splitlines()]
    assert steps[2] == "waiting for its address, for up to 600 s"
    assert re.fullmatch(r"deleting \S+, and waiting until it is gone", steps[-2])


def test_on_a_terminal_the_seconds_go_on(site: Site) -> None:
    site.ems.change(boot_seconds=6)
    program, *arguments = site.command("test", "--pool", POOL)
    terminal = pexpect.spawn(program, arguments, encoding="utf-8", timeout=60, dimensions=(24, 80))
    terminal.expect(r"waiting for its address.*\n")
    began = time.monotonic()
    terminal.expect(r"\r\x1b\[K +\d+\.\d s  \.\.\.")
    assert time.monotonic() - began < 6
    terminal.expect(r"\r\x1b\[K +\d+\.\d s  the VM is up: ")
    left = terminal.read()
    terminal.close()
    assert terminal.exitstatus == 0
    assert left.endswith("the VM is gone\r\n\r\x1b[K")


def test_a_command_to_delete_what_is_kept_stands_alone(site: Site) -> None:
    done = site.test("--keep")
    (vm,) = (vm for vm in site.ems.vms() if vm.node.startswith("xio-test-"))
    command = f"    xio vm delete {vm.node} --manifest {site.folder}/manifest.json"
    assert done.stderr.splitlines() == [f"xio: {vm.node} is kept, and costs: delete it with:", command]
