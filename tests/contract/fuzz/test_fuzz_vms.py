"""Whatever the EMS answers to the commands about VMs: a line, and no VM of ours that the ledger doesn't know."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.contract.fuzz.heads import POOL, Head, head, maybe
from tests.contract.fuzz.judging import judge, judge_events, judge_state
from tests.contract.fuzz.mangler import VMS
from tests.contract.fuzz.runs import each_block, numbers, one_run
from xio_slurm.vms.names import is_test_name

OURS, FOREIGN, MISSING, THEIRS = (f"xspot-vm-{POOL}-1", f"xspot-vm-{POOL}-2", f"xspot-vm-{POOL}-3", "their-node-7")
TEST = "xio-test-a-abcdef"


@pytest.fixture(scope="module")
def node(quick_folder: Path) -> Iterator[Head]:
    with head(quick_folder, {"rhel8": "ami-1", "theirs": "ami-9"}) as made:
        yield made


def before(random: Random, node: Head) -> None:
    """VMs of ours and of others, some with names of our nodes."""
    node.begin(random)
    node.vary(random)
    for name in (OURS, FOREIGN, THEIRS):
        node.ems.make_vm(name)
    node.record(OURS, random.choice(("ours", "ours", "asking", "deleting")))
    if random.random() < 0.3:
        node.record(FOREIGN, random.choice(("foreign", "gone")))
    if random.random() < 0.3:
        node.record(MISSING, random.choice(("ours", "asking", "deleting", "gone")))
    if random.random() < 0.2:
        node.ems.make_vm(TEST)
        node.record(TEST, "ours")


def after(node: Head) -> None:
    """What holds of the folders, and of others' VMs."""
    judge_state(node.state)
    judge_events(node.log)
    assert {FOREIGN, THEIRS} <= {vm.node for vm in node.ems.emulator.vms() if vm.delete_asked is None}


@each_block
@pytest.mark.parametrize("command", ["list", "show"])
def test_looking_tells_it_in_a_line_and_changes_nothing(node: Head, command: str, block: int) -> None:
    for number in numbers(block):
        with one_run(f"vm {command}", number) as (random, told):
            before(random, node)
            node.spoil(random, VMS)
            own = maybe(random, "--all") if command == "list" else (random.choice((OURS, FOREIGN, MISSING, THEIRS)),)
            arguments = ("vm", command, *own, *maybe(random, "--json"))
            judge(told.add(node.call(*arguments, terminal=random.random() < 0.4)), node.temporary)
            node.ems.mend()
            assert node.ems.writes() == []
            after(node)


@each_block
def test_a_deletion_is_done_or_told_in_a_line(node: Head, block: int) -> None:
    for number in numbers(block):
        with one_run("vm delete", number) as (random, told):
            before(random, node)
            node.spoil(random, VMS)
            which = random.choice((OURS, OURS, OURS, FOREIGN, MISSING, THEIRS))
            timeout = ("--timeout", random.choice(("1", "10", "60")))
            arguments = ("vm", "delete", which, "--yes", "--in-use", *timeout, *maybe(random, "--json"))
            called = told.add(node.call(*arguments, terminal=random.random() < 0.3))
            judge(called, node.temporary)
            lied = node.ems.mend()
            after(node)
            entry = node.ledger.peek(OURS)
            if OURS in names(node) and not lied:
                assert entry is not None
                assert entry.phase in {"ours", "asking", "deleting"}
                assert called.code == 1 or which != OURS
            assert OURS in names(node) or which == OURS


@each_block
def test_a_test_vm_goes_or_is_known(node: Head, block: int) -> None:
    for number in numbers(block):
        with one_run("vm test", number) as (random, told):
            before(random, node)
            node.spoil(random, VMS)
            timeout = ("--timeout", random.choice(("1", "5", "20")))
            arguments = ("vm", "test", "--pool", POOL, *timeout, *maybe(random, "--json"))
            called = told.add(node.call(*arguments, terminal=random.random() < 0.3))
            judge(called, node.temporary)
            lied = node.ems.mend()
            after(node)
            left = [name for name in names(node) if is_test_name(name) and name != TEST]
            for name in () if lied else left:
                entry = node.ledger.peek(name)
                assert entry is not None
                assert entry.phase in {"ours", "asking", "deleting"}
                assert called.code == 1
                assert name in called.err
            if not lied and left and random.random() < 0.3:
                assert told.add(node.call("vm", "delete", left[0], "--yes")).code == 0


def names(node: Head) -> set[str]:
    """The VMs that there are, those that are being deleted too."""
    return {vm.node for vm in node.ems.emulator.vms()}
