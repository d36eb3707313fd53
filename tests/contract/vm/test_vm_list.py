"""``xio vm list`` and ``xio vm show``: what there is, and whose."""

import json
import os
import pty
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.contract.vm.conftest import NODE, ODD, OTHERS, POOL, Site, errors, make_vm, one_line_each, slurm_was_asked
from xio_slurm.secret_fields import MASK

OURS = f"xspot-vm-{POOL}-2"
MISSING = f"xspot-vm-{POOL}-10"


def test_ours_and_others_are_told_apart_by_the_ledger(site: Site) -> None:
    for node in (NODE, OURS, "xspot-vm-b-1", "xspot-vm-b-2"):
        make_vm(site.ems, node)
    site.record(OURS, "ours")
    site.record(MISSING, "ours")
    site.record("xspot-vm-b-1", "foreign")
    site.record("xspot-vm-b-2", "gone")
    site.record("xspot-vm-b-3", "gone")
    document = site.json("list")
    assert {(vm["node"], vm["whose"], vm["state"]) for vm in document["vms"]} == {
        (NODE, "foreign", "unknown"),
        (OURS, "ours", "up"),
        (MISSING, "ours", "missing"),
        ("xspot-vm-b-1", "foreign", "unknown"),
        ("xspot-vm-b-2", "foreign", "unknown"),
    }
    assert document["others_count"] == 1
    assert "others" not in document
    assert site.json("list", "--all")["others"] == [OTHERS]


def test_a_vm_that_the_ems_lists_and_does_not_know_alone_is_not_missing(site: Site) -> None:
    make_vm(site.ems, NODE)
    site.record(NODE, "ours")
    site.ems.add_fault(effect="status", status=404, match={"method": "GET", "path": f"/v1/xcompute/vm/{NODE}"})
    assert [(vm["node"], vm["state"], vm["count"]) for vm in site.json("list")["vms"]] == [(NODE, "listed", 1)]
    assert site.json("show", NODE)["ems"]["state"] == "listed"
    assert "EMS: lists it, and has none when it is asked for it alone, ours" in site.xio("show", NODE).stdout


def test_secrets_are_hidden_by_the_rule_of_the_plan(site: Site) -> None:
    answer = {
        "Vm": {"PrivateIpAddress": "10.0.0.1", "RootPasswd": "geheim", "Access-Token": "geheim"},
        "SshKey": "geheim",
    }
    site.record(NODE, "ours")
    site.ems.add_fault(effect="status", status=200, text=json.dumps(answer), match={"path": f"/v1/xcompute/vm/{NODE}"})
    shown = site.json("show", NODE)["ems"]["answer"]
    assert shown == {"Vm": {"PrivateIpAddress": "10.0.0.1", "RootPasswd": MASK, "Access-Token": MASK}, "SshKey": MASK}
    assert "geheim" not in site.xio("show", NODE).stdout


def test_a_vm_that_came_after_an_unanswered_ask_is_ours(site: Site) -> None:
    make_vm(site.ems, NODE)
    site.record(NODE, "gone", unanswered=True)
    assert [vm["whose"] for vm in site.json("list")["vms"]] == ["ours"]


def test_our_vms_are_shown_with_state_address_controller_and_age(site: Site) -> None:
    make_vm(site.ems, OURS)
    site.ems.change(boot_seconds=600)
    make_vm(site.ems, NODE)
    site.record(OURS, "ours", asked=time.time() - 7200)
    site.record(NODE, "deleting")
    site.record("xspot-vm-b-1", "asking")
    make_vm(site.ems, "xspot-vm-b-1")
    vms = {vm["node"]: vm for vm in site.json("list")["vms"]}
    assert vms[OURS]["address"].startswith("127.")
    assert vms[OURS]["controller"] == "amd-controller-1"
    assert 7200 <= vms[OURS]["age_seconds"] < 7300
    assert {node: vm["state"] for node, vm in vms.items()} == {OURS: "up", NODE: "deleting", "xspot-vm-b-1": "booting"}
    assert vms["xspot-vm-b-1"]["pool"] == "b"


def test_the_nodes_stand_in_the_order_of_their_numbers(site: Site) -> None:
    for number in (10, 9, 1):
        site.record(f"xspot-vm-{POOL}-{number}", "ours")
    out = site.xio("list").stdout
    assert out.index("cores-1 ") < out.index("cores-9 ") < out.index("cores-10 ")


def test_an_empty_list_says_so(site: Site) -> None:
    site.ems.add_fault(effect="status", status=200, text='{"Vms": null}', match={"path": "/v1/xcompute/vms"})
    done = site.xio("list")
    assert (done.returncode, done.stdout) == (0, "The EMS has no VMs.\n")


def test_two_vms_of_one_name_are_counted(site: Site) -> None:
    site.ems.change(existing_vm="second")
    make_vm(site.ems, OURS)
    make_vm(site.ems, OURS)
    site.record(OURS, "ours")
    assert "up 2 VMs" in site.xio("list").stdout


def test_ten_thousand_others_cost_one_request_and_one_line(site: Site) -> None:
    names = [{"NodeName": f"their-{number}"} for number in range(10_000)]
    site.ems.add_fault(effect="status", status=200, text=json.dumps({"Vms": names}), match={"path": "*/vms"})
    done = site.xio("list")
    assert (done.returncode, done.stderr) == (0, "")
    assert "10000 VMs of others (--all names them)" in done.stdout
    assert done.stdout.count("\n") < 5
    assert len(site.ems.requests()) == 1
    assert site.xio("list", "--all").stdout.count("their-") == 10_000


def test_only_our_vms_are_looked_at_and_no_more_at_a_time_than_allowed(site: Site) -> None:
    for number in range(1, 31):
        make_vm(site.ems, f"xspot-vm-{POOL}-{number}")
        if number > 1:
            site.record(f"xspot-vm-{POOL}-{number}", "ours")
    site.ems.change(latency=0.05)
    assert len(site.json("list")["vms"]) == 30
    assert len(site.ems.requests("GET")) == 30
    assert 1 < site.ems.peak() <= 8


def test_no_slurm_is_asked(site: Site) -> None:
    make_vm(site.ems, OURS)
    site.record(OURS, "ours")
    assert site.xio("list").returncode == 0
    assert site.xio("show", OURS).returncode == 0
    assert slurm_was_asked(site) == []


@pytest.mark.parametrize("odd", ["500", "html", "huge", "drip"])
def test_a_look_that_fails_is_told_and_the_rest_is_shown(site: Site, odd: str) -> None:
    make_vm(site.ems, OURS)
    site.record(OURS, "ours")
    site.record(NODE, "ours")
    site.ems.add_fault(**ODD[odd], match={"path": "/v1/xcompute/vm/*", "node": OURS})
    done = site.xio("list", "--json")
    states = {vm["node"]: vm["state"] for vm in json.loads(done.stdout)["vms"]}
    assert states[NODE] == "missing"
    if odd == "huge":  # JSON after all, without an address
        assert states[OURS] == "booting"
    else:
        assert (done.returncode, states[OURS]) == (1, "unknown")
        assert errors(done).count("\n") == 1
    assert one_line_each(errors(done))


@pytest.mark.parametrize("command", [("list",), ("show", OURS)])
@pytest.mark.parametrize("odd", ODD)
def test_odd_answers_end_in_a_line(site: Site, command: tuple[str, ...], odd: str) -> None:
    site.ems.add_fault(**ODD[odd], match={"method": "GET"})
    done = site.xio(*command)
    assert done.returncode == (0 if command[0] == "show" and odd == "102" else 1), done.stderr
    assert one_line_each(errors(done)), done.stderr
    assert errors(done).count("\n") == done.returncode


def test_a_list_with_strange_names_is_shown(site: Site) -> None:
    names = [{"NodeName": name} for name in ("../../x", "\ud800", "\x1b[31mred", "a\nb", 7, "x" * 5000)]
    site.ems.add_fault(effect="status", status=200, text=json.dumps({"Vms": names}), match={"path": "*/vms"})
    done = site.xio("list", "--all")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert "6 VMs of others" in done.stdout


def test_a_damaged_entry_is_told(site: Site) -> None:
    make_vm(site.ems, OURS)
    site.record(OURS, "ours")
    (Path(site.manifest.state_dir) / "nodes" / f"{OURS}.json").write_text("{")
    done = site.xio("list")
    assert done.returncode == 1
    assert "is damaged" in done.stderr
    assert done.stderr.count("\n") == 1
    assert site.xio("show", OURS).stderr.count("\n") == 1


def test_a_list_fits_80_columns(site: Site) -> None:
    for number in (1, 1000):
        make_vm(site.ems, f"xspot-vm-{POOL}-{number}")
        site.record(f"xspot-vm-{POOL}-{number}", "ours")
    ours, theirs = pty.openpty()
    environment = {**site.environment, "COLUMNS": "80", "TERM": "xterm"}
    subprocess.run(site.command("list"), env=environment, stdout=theirs, timeout=30, check=True)
    os.close(theirs)
    out = os.read(ours, 65536).decode()
    os.close(ours)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
    assert all(len(line.rstrip()) <= 80 for line in plain.splitlines())
    row = next(line for line in plain.splitlines() if f"{POOL}-1000" in line)
    assert "amd-controller-1" in row
    assert "127." in row


def test_show_has_both_sides(site: Site) -> None:
    site.ems.change(vm_fields=["pool", "created"])
    make_vm(site.ems, OURS)
    site.record(OURS, "ours", ems_job="job-7", error="once refused")
    done = site.xio("show", OURS)
    assert done.returncode == 0
    for text in ("ours by the ledger", "PoolName: theirs", "Vm.PrivateIpAddress: 127.", "job-7", "once refused"):
        assert text in done.stdout
    document = site.json("show", OURS)
    assert document["whose"] == "ours"
    assert document["ems"]["answer"]["Controller"]["NodeName"] == document["ems"]["controller"]
    assert document["ledger"]["ems_job"] == "job-7"


def test_show_of_one_side_alone(site: Site) -> None:
    site.record(MISSING, "ours")
    assert "EMS: has no VM of this name" in site.xio("show", MISSING).stdout
    assert "Ledger: doesn't know it" in site.xio("show", OTHERS).stdout
    done = site.xio("show", "nobody-1")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_show_keeps_user_data_to_itself(site: Site) -> None:
    answer = {"NodeName": OURS, "VM": {"UserData": "c2VjcmV0", "CPUs": 7}}
    site.ems.add_fault(effect="status", status=200, text=json.dumps(answer))
    for more in ((), ("--json",)):
        done = site.xio("show", OURS, *more)
        assert "c2VjcmV0" not in done.stdout + done.stderr
        assert "7" in done.stdout


def test_show_of_a_deep_and_long_answer_is_bounded(site: Site) -> None:
    text = '{"a":' * 900 + "1" + "}" * 900
    site.ems.add_fault(effect="status", status=200, text=text, times=2)
    assert site.xio("show", OURS).returncode == 0
    assert site.xio("show", OURS, "--json").returncode == 0
    site.ems.add_fault(effect="status", status=200, text=json.dumps({str(n): "x" * 5000 for n in range(5000)}))
    done = site.xio("show", OURS)
    assert done.stdout.count("\n") < 110
    assert len(done.stdout) < 30_000


@pytest.mark.parametrize("name", ["../x", "a b", "a[1-2]", "a,b", "", "-x", "x" * 300, "a/b", "é"])
@pytest.mark.parametrize("command", ["show", "delete"])
def test_what_is_no_nodes_name_is_wrong_usage(site: Site, command: str, name: str) -> None:
    call = [*site.command(command), "--", name]
    assert subprocess.run(call, env=site.environment, capture_output=True, timeout=30, check=False).returncode == 2
    assert site.ems.requests() == []
