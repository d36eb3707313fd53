"""Bad state: one clear line, no delete, no crash, and work goes on for the nodes that are fine."""

import json
import time
from pathlib import Path

import pytest

from tests.contract.sync.conftest import GRACE, NODE, NODE_2, OFF, POOL, HeadNode
from xio_slurm.power import heartbeat


def lines(caplog: pytest.LogCaptureFixture, text: str) -> int:
    return sum(text in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    "content",
    [b"", b'{"version": 1, "node"', b'{"version": 9}', b"\xff\xfe", b"[]", b"[" * 100_000],
    ids=["empty", "truncated", "another version", "no UTF-8", "no object", "deep"],
)
def test_a_damaged_entry(head: HeadNode, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    for node in (NODE, NODE_2):
        head.note("ours", node=node)
        head.make_vm(node)
    path = Path(head.manifest.state_dir) / "nodes" / f"{NODE}.json"
    path.write_bytes(content)
    passed = head.looks(3)
    assert head.vms() == {NODE}
    assert len(passed.problems) == 1
    assert lines(caplog, f"nothing is done about {NODE}") == 1
    assert path.read_bytes() == content


def test_an_unreadable_breaker_is_told_once_and_stops_nothing(head: HeadNode, caplog: pytest.LogCaptureFixture) -> None:
    (Path(head.manifest.state_dir) / "pools").mkdir()
    (Path(head.manifest.state_dir) / "pools" / f"{POOL}.json").write_text("{")
    head.note("ours")
    head.make_vm()
    head.looks(4)
    assert head.vms() == set()
    assert lines(caplog, "the pool counts as open") == 1


def test_a_slurmctld_that_is_away(head: HeadNode, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "xio_slurm")
    head.note("ours")
    head.make_vm()
    head.look()
    head.slurm.fail()
    assert len(head.looks(3).problems) == 1
    assert head.vms() == {NODE}
    assert lines(caplog, "Unable to contact slurm controller") == 1
    head.slurm.fail(fails=False)
    head.look()
    assert head.vms() == set()
    assert lines(caplog, "slurm can be read again") == 1


def test_a_slurm_that_shows_none_of_our_nodes(head: HeadNode) -> None:
    head.note("ours")
    head.make_vm()
    head.slurm.forget(NODE)
    head.slurm.forget(NODE_2)
    head.slurm.say("IDLE", "login-1")
    passed = head.looks(3)
    assert head.vms() == {NODE}
    assert "shows none of the manifest's nodes" in passed.problems[0]


def test_a_manifest_older_than_slurms_nodes(head: HeadNode, caplog: pytest.LogCaptureFixture) -> None:
    head.slurm.say("ALLOCATED+CLOUD+NOT_RESPONDING+POWERING_UP", "xspot-vm-new-1", "xspot-vm-new-2")
    head.note("ours")
    head.make_vm()
    head.looks(4)
    assert lines(caplog, "xspot-vm-new-[1-2]: named like ours, and in no pool of the manifest") == 1
    assert head.vms() == set()
    assert head.slurm.updates() == []


def test_a_clock_that_was_set_back_deletes_nothing(head: HeadNode, caplog: pytest.LogCaptureFixture) -> None:
    head.note("ours", age=-3600.0)
    head.note("ours", node=NODE_2)
    head.make_vm()
    head.make_vm(NODE_2)
    head.looks(4)
    assert head.vms() == {NODE}
    assert lines(caplog, "the clock was set back") == 1


def test_no_address_of_the_ems(head: HeadNode, caplog: pytest.LogCaptureFixture) -> None:
    head.change(ems_url=None)
    head.note("ours")
    head.slurm.say("DOWN+CLOUD+POWERED_DOWN", NODE_2, reason="xio:boot")
    head.looks(3)
    assert head.phase() == "ours"
    assert head.slurm.updates()[0] == f"update NodeName={NODE_2} State=RESUME"
    assert lines(caplog, "the manifest has no address of the EMS") == 1


def test_locks_that_cannot_be_taken_save_the_vm(head: HeadNode, caplog: pytest.LogCaptureFixture) -> None:
    head.note("ours")
    head.make_vm()
    head.look()
    locks = Path(head.manifest.state_dir) / "locks"
    (locks / f"{NODE}.lock").mkdir()
    time.sleep(GRACE)
    head.looks(3)
    assert head.vms() == {NODE}
    assert lines(caplog, f"the lock of {NODE}") == 1


def test_a_state_folder_that_is_no_folder(head: HeadNode, caplog: pytest.LogCaptureFixture) -> None:
    head.change(state_dir=str(head.folder / "manifest.json"))
    assert head.looks(3).problems
    assert lines(caplog, "can't be made") == 1


def test_the_sign_of_life_is_given_though_slurm_is_away(head: HeadNode) -> None:
    head.slurm.fail()
    head.look()
    assert heartbeat.sync_is_alive(head.manifest.state_dir, time.time())


def test_a_log_folder_that_is_gone(head: HeadNode) -> None:
    head.change(log_dir=str(head.folder / "none"))
    head.note("ours")
    head.make_vm()
    head.looks()
    assert head.vms() == set()


def test_the_dry_run_shows_and_changes_nothing(head: HeadNode) -> None:
    head.note("ours")
    head.make_vm()
    head.slurm.say("DOWN+CLOUD+POWERED_DOWN", NODE_2, reason="xio:boot")
    before = _files(head.folder)
    ended = head.run("--dry-run")
    assert ended.returncode == 0, ended.stderr
    assert "after a second look" in ended.stdout
    assert "Slurm doesn't want the node, and the VM is ours" in ended.stdout
    shown = json.loads(head.run("--dry-run", "--json").stdout)
    assert shown["complete"]
    assert [(each["node"], each["action"], each["needs_two_looks"]) for each in shown["actions"]] == [
        (NODE, "delete it", True),
        (NODE_2, "RESUME", False),
    ]
    assert _files(head.folder) == before
    assert head.vms() == {NODE}


def test_a_dry_run_tells_what_it_could_not_see(head: HeadNode) -> None:
    head.emulator.add_fault(effect="status", status=500, match={"path": "/v1/xcompute/vms"})
    ended = head.run("--dry-run", "--json")
    assert ended.returncode == 1
    assert not json.loads(ended.stdout)["complete"]
    head.slurm.fail()
    ended = head.run("--dry-run")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("xio: scontrol show node")


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "calls"}


def test_quiet_nodes_are_nothing_to_show(head: HeadNode) -> None:
    head.slurm.say(OFF, NODE)
    assert head.run("--dry-run").stdout == "Nothing is to be done.\n"
