"""``xio vm test``: one VM made, followed, deleted and seen gone."""

import base64
import json
import subprocess

import pytest
import requests

from tests.contract.vm.conftest import NODE, ODD, POOL, Site, errors, make_vm, one_line_each
from xio_slurm.emulator.tool import Emulator


def _test_vms(ems: Emulator) -> list[str]:
    return [vm.node for vm in ems.vms() if vm.node.startswith("xio-test-")]


def test_it_comes_up_and_goes(site: Site) -> None:
    done = site.test()
    assert (done.returncode, done.stderr) == (0, "")
    assert "controller amd-controller-1 (127." in done.stdout
    assert "the VM is up: 127." in done.stdout
    assert "the VM is gone" in done.stdout
    assert _test_vms(site.ems) == []
    (entry,) = site.tests_in_ledger()
    assert (entry.phase, entry.pool, entry.unanswered) == ("gone", POOL, False)


def test_it_asks_for_what_the_pool_has(site: Site) -> None:
    assert site.test("--keep").returncode == 0
    vm = site.ems.vms()[-1]
    assert vm.request == {
        "NodeName": vm.node,
        "PoolName": POOL,
        "ProfileName": "amd",
        "VM": {"CPUs": 3, "ImageName": "image", "MaxMemory": 7200, "MinMemory": 100, "VolumeSize": 12},
    }
    assert base64.b64decode(vm.user_data) == b"#!/bin/sh\n"
    assert len(vm.node) <= 63
    assert site.manifest.pool_of(vm.node) is None


def test_single_values_can_be_others(site: Site) -> None:
    script = site.folder / "script"
    script.write_text("#!/bin/bash\ntrue\n")
    more = ("--image", "new", "--cpus", "1", "--memory", "50", "--volume-size", "99", "--profile", "intel")
    assert site.test("--keep", "--user-data", str(script), *more).returncode == 0
    vm = site.ems.vms()[-1]
    assert vm.request["VM"] == {"CPUs": 1, "ImageName": "new", "MaxMemory": 50, "VolumeSize": 99}
    assert (vm.pool, vm.profile) == (POOL, "intel")
    assert base64.b64decode(vm.user_data) == b"#!/bin/bash\ntrue\n"


def test_it_needs_no_pool(site: Site) -> None:
    command = ("test", "--profile", "amd", "--image", "i", "--cpus", "2", "--memory", "7200", "--keep")
    assert site.xio(*command).returncode == 0
    assert site.ems.vms()[-1].request["VM"]["VolumeSize"] == 10


def test_what_is_missing_is_wrong_usage(site: Site) -> None:
    done = site.xio("test", "--pool", "nope", "--cpus", "1")
    assert done.returncode == 2
    assert f"the manifest has no pool 'nope': give --pool ({POOL}, b)" in " ".join(done.stderr.split())
    assert site.xio("test").returncode == 2
    assert site.ems.requests() == []


def test_keep_leaves_it_and_says_how_to_delete_it(site: Site) -> None:
    done = site.test("--keep")
    assert done.returncode == 0
    (node,) = _test_vms(site.ems)
    command = f"xio vm delete {node} --manifest {site.folder}/manifest.json"
    assert command in done.stderr
    assert site.xio(*command.split()[2:4], "--yes").returncode == 0
    assert _test_vms(site.ems) == []


def test_json_is_one_document_with_the_seconds(site: Site) -> None:
    done = site.test("--json")
    document = json.loads(done.stdout)
    assert document["ok"] is True
    assert document["ending"] == "gone"
    assert document["address"].startswith("127.")
    assert document["controller_address"].startswith("127.")
    seconds = document["seconds"]
    assert 0 < seconds["asked"] <= seconds["controller"] <= seconds["address"] < seconds["gone"] < 30
    assert "the VM is up" in done.stderr


@pytest.mark.parametrize("settings", [{"booting_get": "102"}, {"delete_seconds": 1, "deleting_get": "102"}])
def test_it_is_right_about_what_nobody_knows(site: Site, settings: dict[str, object]) -> None:
    site.ems.change(**settings, missing_delete="200")
    assert site.test().returncode == 0
    assert _test_vms(site.ems) == []


def test_a_vm_that_never_boots_is_deleted(site: Site) -> None:
    site.ems.add_fault(effect="never-boots")
    done = site.test("--timeout", "2")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "has no address after 2 s: on the controller 127." in line
    assert _test_vms(site.ems) == []


def test_a_vm_that_vanishes_is_told(site: Site) -> None:
    site.ems.change(boot_seconds=60)
    running = site.start_test()
    running.wait_for("controller")
    (node,) = _test_vms(site.ems)
    requests.delete(f"{site.ems.url}/v1/xcompute/vm/{node}", timeout=10)
    code, _, err = running.end()
    assert (code, one_line_each(err)) == (1, True)
    assert "has vanished" in err


def test_a_refusal_is_told_and_nothing_is_deleted(site: Site) -> None:
    site.ems.add_fault(effect="no-capacity", status=409)
    done = site.test()
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "insufficient capacity" in done.stderr
    assert site.ems.requests("DELETE") == []
    assert site.tests_in_ledger()[0].phase == "gone"


def test_a_503_may_be_a_proxys_so_the_vm_is_looked_for(site: Site) -> None:
    site.ems.add_fault(effect="no-capacity")
    done = site.test()
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "EMS 503: insufficient capacity" in done.stderr
    assert len(site.ems.requests("DELETE")) == 1


def test_a_lost_answer_with_a_vm_behind_it(site: Site) -> None:
    site.ems.add_fault(effect="lost-answer", match={"method": "POST"})
    done = site.test()
    assert (done.returncode, done.stderr) == (0, "")
    assert "the EMS makes it all the same" in done.stdout
    assert _test_vms(site.ems) == []
    assert len(site.ems.requests("POST")) == 1


def test_a_lost_request(site: Site) -> None:
    site.ems.add_fault(effect="lost-request", match={"method": "POST"})
    done = site.test()
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    (entry,) = site.tests_in_ledger()
    assert (entry.phase, entry.unanswered) == ("gone", True)
    assert len(site.ems.requests("POST")) == 1


def test_a_vm_that_is_made_after_we_gave_up_is_deleted(site: Site) -> None:
    site.change(read_timeout=2)
    site.ems.add_fault(effect="latency", seconds=3, match={"method": "POST"})
    assert site.test().returncode == 0
    assert len(site.ems.all_vms()) == 2
    assert _test_vms(site.ems) == []


def test_a_vm_that_comes_even_later_is_known_as_ours(site: Site) -> None:
    site.ems.add_fault(effect="latency", seconds=3, times=1, match={"method": "POST"})
    assert site.test().returncode == 1
    site.ems.wait_until(lambda: _test_vms(site.ems))
    (vm,) = site.json("list")["vms"]
    assert (vm["node"], vm["whose"]) == (_test_vms(site.ems)[0], "ours")
    assert vm["node"] in site.test().stderr
    assert site.xio("delete", vm["node"], "--yes").returncode == 0
    assert _test_vms(site.ems) == []


def test_a_vm_that_will_not_go_is_told_with_what_ends_it(site: Site) -> None:
    site.ems.add_fault(effect="slow-delete", seconds=600)
    done = site.test("--timeout", "2")
    assert done.returncode == 1
    assert "the EMS was asked to delete the VM and still has it" in done.stderr
    assert "squeue" in done.stderr
    assert "scancel" in done.stderr
    assert "xio vm delete xio-test-" in done.stderr
    assert site.tests_in_ledger()[0].phase == "deleting"


REQUESTS = {
    "POST": {"method": "POST"},
    "GET of it": {"method": "GET", "path": "/v1/xcompute/vm/*"},
    "DELETE": {"method": "DELETE"},
}


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("odd", ODD)
def test_odd_answers_end_in_lines_and_leave_no_vm_that_is_not_told(site: Site, request_: str, odd: str) -> None:
    site.ems.add_fault(**ODD[odd], match=REQUESTS[request_])
    done = site.test("--timeout", "1.5")
    assert done.returncode in {0, 1}
    assert one_line_each(done.stderr), done.stderr
    assert (done.returncode == 0) == (done.stderr == "")
    left = _test_vms(site.ems)
    assert all(f"xio vm delete {node}" in done.stderr for node in left)
    site.ems.remove_faults()
    for node in left:
        assert site.xio("delete", node, "--yes").returncode == 0
    assert _test_vms(site.ems) == []


def test_a_vm_that_is_only_missing_in_the_list_is_not_gone(site: Site) -> None:
    site.ems.add_fault(effect="slow-delete", seconds=600)
    site.ems.add_fault(effect="status", status=200, text='{"Vms": []}', match={"path": "*/vms"})
    done = site.test("--timeout", "1.5")
    assert done.returncode == 1
    assert "the EMS lists it no more and still answers for it" in done.stderr
    assert site.tests_in_ledger()[0].phase == "deleting"


@pytest.mark.parametrize("odd", ODD)
def test_an_ems_that_cannot_list_its_vms_is_not_asked_for_one(site: Site, odd: str) -> None:
    site.ems.add_fault(**ODD[odd], match={"path": "/v1/xcompute/vms"})
    done = site.test()
    assert (done.returncode, errors(done).count("\n")) == (1, 1)
    assert one_line_each(errors(done))
    assert site.ems.requests("POST") == []


def test_an_ems_that_is_not_there_is_told_before_anything(site: Site) -> None:
    site.change(ems_url="http://127.0.0.1:9")
    done = site.test()
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "can't be reached" in done.stderr
    assert site.tests_in_ledger() == []


def test_a_state_folder_that_is_missing_is_told_before_anything(site: Site) -> None:
    site.change(state_dir=str(site.folder / "nowhere" / "state"))
    (site.folder / "nowhere").touch()
    done = site.test()
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert site.ems.requests() == []


def test_a_reader_that_goes_away_costs_no_vm(site: Site) -> None:
    running = site.start_test()
    assert running.process.stdout is not None
    running.process.stdout.close()
    assert running.end()[0] == 0
    assert _test_vms(site.ems) == []


def test_user_data_is_in_no_file_of_ours(site: Site) -> None:
    script = site.folder / "script"
    script.write_text("#!/bin/sh\nhidden-from-all\n")
    done = site.test("--user-data", str(script))
    script.unlink()
    said = [done.stdout, done.stderr, *(path.read_text() for path in site.folder.rglob("*") if path.is_file())]
    assert not any("hidden" in text or "aGlkZGVu" in text for text in said)


def test_nodes_vms_are_not_mentioned_as_earlier_tests(site: Site) -> None:
    make_vm(site.ems, NODE)
    make_vm(site.ems, "xio-test-theirs-abcdef")
    assert site.test().stderr == ""


def test_without_a_manifest_the_configuration_stands_for_it(site: Site) -> None:
    text = f"""
slurm:
  ClusterName: lab
  Xio:
    ManagementServerIp: 127.0.0.1
    Plugin: {{EmsUrl: "{site.ems.url}", StateDir: "{site.manifest.state_dir}", LogDir: "{site.manifest.log_dir}"}}
    PartitionName: xio
    AvailabilityZone: us-east-2b
    Profiles:
      - {{ProfileName: amd, NodeGroupName: amd, MaxControllers: 10, InstanceTypes: [c5a], SpotFleetTypes: [c5a]}}
    Pools:
      - {{PoolName: amd-8, ProfileName: amd, ImageName: rhel8, PoolSize: 10, CPUs: 2, MaxMemory: 7200}}
"""
    (site.folder / "xio.yaml").write_text(text)
    command = [*site.command("test", "--pool", "amd-8", "--keep")[:-2], "-c", str(site.folder / "xio.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert site.ems.vms()[-1].request["VM"]["ImageName"] == "rhel8"
    assert f"-c {site.folder}/xio.yaml" in done.stderr
