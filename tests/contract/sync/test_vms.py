"""What a pass does about VMs: those that nobody wants go, and none that isn't ours."""

import threading
import time
from typing import Final

import pytest

from tests.contract.sync.conftest import BOOTING, GRACE, NODE, NODE_2, OFF, RUNNING, HeadNode
from xio_slurm.deadline import Deadline
from xio_slurm.ledger import Run
from xio_slurm.manifest import Recovery

LONGER: Final = 50_000.0


def deletes(head: HeadNode) -> list[str | None]:
    return [each.node for each in head.emulator.requests("DELETE")]


def test_an_orphan_is_deleted_after_two_looks_and_then_forgotten(head: HeadNode) -> None:
    head.note("ours")
    head.make_vm()
    assert [proposal.node for proposal in head.look().waiting] == [NODE]
    assert head.look().waiting  # a second look at once confirms nothing
    assert deletes(head) == []
    head.looks(1)
    time.sleep(GRACE)
    head.look()
    assert head.vms() == set()
    assert head.phase() == "deleting"
    head.looks(3)
    assert head.phase() == "gone"
    assert len(head.events("deleted")) == 1
    assert {event["action"] for event in head.events("decided")} == {"delete it", "note that it is gone"}


def test_the_vm_of_a_node_that_slurm_does_not_know_any_more_is_one_too(head: HeadNode) -> None:
    head.note("ours", node="xspot-vm-former-3")
    head.make_vm("xspot-vm-former-3")
    head.looks()
    assert head.vms() == set()


@pytest.mark.parametrize("phase", [None, "gone", "foreign"])
def test_a_foreign_vm_is_told_of_once_and_left(
    head: HeadNode, phase: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    if phase is not None:
        head.note(phase)
    head.make_vm()
    head.looks(5)
    assert head.vms() == {NODE}
    assert deletes(head) == []
    assert [event["node"] for event in head.events("foreign")] == [NODE]
    assert sum("didn't make" in record.message for record in caplog.records) == 1


def test_a_vm_of_another_name_is_nobodys_matter(head: HeadNode) -> None:
    for name in ("theirs-1", "xspot-vm-other-1", "xio-test-amd-abcdef"):
        head.make_vm(name)
    head.looks(3)
    assert len(head.vms()) == 3
    assert head.events("foreign") == []


def test_a_test_vm_is_that_commands_matter(head: HeadNode) -> None:
    head.note("ours", node="xio-test-amd-abcdef")
    head.make_vm("xio-test-amd-abcdef")
    head.looks(3)
    assert head.vms() == {"xio-test-amd-abcdef"}


@pytest.mark.parametrize("state", [RUNNING, BOOTING, "IDLE+CLOUD+POWERING_DOWN", "ALLOCATED+CLOUD+POWERED_DOWN"])
def test_a_vm_that_slurm_uses_is_left(head: HeadNode, state: str) -> None:
    head.note("ours", age=100.0)
    head.make_vm()
    head.slurm.say(state, NODE)
    head.looks(3)
    assert head.vms() == {NODE}
    assert deletes(head) == []


def test_a_vm_that_was_just_asked_for_is_left(head: HeadNode) -> None:
    head.change(recovery=Recovery(grace=2.0))
    head.note("ours", age=0.0)
    head.make_vm()
    head.looks(3)
    assert deletes(head) == []


def test_nothing_is_deleted_when_the_list_failed(head: HeadNode, caplog: pytest.LogCaptureFixture) -> None:
    head.note("ours")
    head.make_vm()
    head.look()
    fault = head.emulator.add_fault(effect="status", status=500, match={"path": "/v1/xcompute/vms"})
    passed = head.looks(3)
    assert deletes(head) == []
    assert len(passed.problems) == 1
    assert sum("until the EMS lists them" in record.message for record in caplog.records) == 1
    head.emulator.remove_fault(fault)
    head.look()  # the look before the fault counts, and this one confirms it
    assert head.vms() == set()


def test_a_list_that_lacks_a_vm_does_not_make_it_forgotten(head: HeadNode) -> None:
    head.note("ours")
    head.make_vm()
    head.emulator.add_fault(effect="status", status=200, text='{"Vms": []}', match={"path": "/v1/xcompute/vms"})
    head.looks(3)
    assert head.phase() == "ours"


def test_an_entry_that_changed_saves_its_vm(head: HeadNode) -> None:
    head.note("ours")
    head.make_vm()
    head.look()
    head.note("ours", age=LONGER)  # a program has written meanwhile
    time.sleep(GRACE + 0.05)
    head.look()
    assert deletes(head) == []


def test_an_entry_that_changes_while_a_pass_acts_saves_its_vm(head: HeadNode) -> None:
    head.note("ours")
    head.make_vm()
    head.look()
    time.sleep(GRACE + 0.05)
    # The pass reads the entry, and waits for the lock that a program holds.
    with head.ledger.locked(NODE, Deadline.after(5)) as slot:
        pass_ = threading.Thread(target=head.look)
        pass_.start()
        head.emulator.wait_until(lambda: head.emulator.requests("GET", "/v1/xcompute/vms"))
        time.sleep(0.5)
        entry = slot.read()
        assert entry is not None
        slot.write(entry.at("ours", Run("xio-resume-2-2", time.time())))
    pass_.join()
    assert deletes(head) == []
    assert head.vms() == {NODE}


def test_a_pass_deletes_no_more_than_it_may(head: HeadNode) -> None:
    head.change(recovery=Recovery(grace=GRACE, most_deletes=2))
    nodes = [f"xspot-vm-amd-{number}" for number in range(1, 6)]
    head.slurm.say(OFF, *nodes)
    for node in nodes:
        head.note("ours", node=node)
        head.make_vm(node)
    passed = head.looks()
    assert len(head.vms()) == 3
    assert passed.problems == ("3 VMs more are to be deleted: 2 in one pass at most",)
    head.looks(3)
    assert head.vms() == set()


def test_a_delete_is_finished(head: HeadNode) -> None:
    head.note("deleting")
    head.make_vm()
    head.look()
    assert head.vms() == set()
    head.looks(3)
    assert head.phase() == "gone"


def test_a_delete_of_the_last_turn_is_finished_and_the_next_vm_made(head: HeadNode) -> None:
    head.note("deleting")
    head.make_vm()
    head.slurm.say(BOOTING, NODE)
    head.look()
    assert head.vms() == set()
    head.looks()
    assert head.vms() == {NODE}
    assert head.phase() == "ours"


def test_what_was_never_asked_for_is_asked_for(head: HeadNode) -> None:
    head.slurm.say(BOOTING, NODE, NODE_2)
    head.note("asking", node=NODE_2, age=10.0)  # killed between the note and the request
    head.look()
    assert head.vms() == set()
    head.looks(1)
    time.sleep(GRACE)
    head.look()
    assert head.vms() == {NODE, NODE_2}
    assert (head.phase(NODE), head.phase(NODE_2)) == ("ours", "ours")
    assert head.slurm.updates() == []


def test_a_node_that_slurm_is_about_to_power_up_is_not_asked_for(head: HeadNode) -> None:
    head.slurm.say("ALLOCATED+CLOUD+POWERED_DOWN", NODE)
    head.slurm.say("IDLE+CLOUD+POWER_UP+POWERED_DOWN", NODE_2)
    head.looks(3)
    assert head.vms() == set()


def test_an_answer_that_was_lost_is_believed_when_the_vm_is_there(head: HeadNode) -> None:
    head.note("asking", age=10.0)
    head.make_vm()
    head.slurm.say(BOOTING, NODE)
    head.looks()
    assert head.phase() == "ours"
    assert head.emulator.requests("POST") == []


def test_the_address_that_slurm_lacks_is_told(head: HeadNode) -> None:
    for node in (NODE_2, NODE):
        head.note("ours", node=node, age=10.0)
        head.make_vm(node)
    head.emulator.wait_until(lambda: all(vm.address for vm in head.emulator.vms()))
    addresses = {vm.node: vm.address or "" for vm in head.emulator.vms()}
    head.slurm.say(BOOTING, NODE, NODE_2)
    head.look()
    assert head.slurm.updates() == [f"update NodeName={NODE},{NODE_2} NodeAddr={addresses[NODE]},{addresses[NODE_2]}"]
    for node in (NODE, NODE_2):
        head.slurm.say(BOOTING, node, address=addresses[node])
    head.look()
    assert len(head.slurm.updates()) == 1
    told = head.events("up")
    assert [(event["node"], event["address"]) for event in told] == [(node, addresses[node]) for node in (NODE, NODE_2)]
    assert all(event["seconds"] >= 10 for event in told)


def test_it_ends_between_two_acts(head: HeadNode) -> None:
    head.change(max_concurrent_requests=1)
    for node in (NODE, NODE_2):
        head.note("ours", node=node)
        head.make_vm(node)
    head.stop = lambda: bool(deletes(head))
    head.looks(4)
    assert deletes(head) == [NODE]
    assert head.vms() == {NODE_2}


def test_it_ends_between_two_kinds_of_acts(head: HeadNode) -> None:
    head.note("ours")
    head.make_vm()
    head.slurm.say("DOWN+CLOUD+POWERED_DOWN", NODE_2, reason="xio:boot")
    head.stop = lambda: True
    head.looks(3)
    assert head.slurm.updates() == []
    assert deletes(head) == []
