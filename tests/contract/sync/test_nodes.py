"""What a pass tells Slurm, and what it counts against pools."""

import time
from typing import Final

import pytest
from msgspec import structs

from tests.contract.sync.conftest import BOOTING, NODE, NODE_2, OFF, POOL, RUNNING, HeadNode
from xio_slurm.deadline import Deadline
from xio_slurm.power.breaker import EVERY_POOL, Breaker, Cause
from xio_slurm.power.breakers import Breakers
from xio_slurm.power.situation import Gate

OVERDUE: Final = 570.0
"""Older than nine tenths of ResumeTimeout."""


def breaker(head: HeadNode, pool: str = POOL) -> Breaker:
    return Breakers(head.manifest.state_dir).read().get(pool, Breaker(pool))


def close(head: HeadNode, pool: str, seconds: float | None, cause: Cause = "capacity") -> None:
    now = time.time()
    closed = Breaker(pool, Gate.CLOSED, cause, "none left", now, None if seconds is None else now + seconds, 1.0)
    Breakers(head.manifest.state_dir).change(pool, lambda _before: closed, Deadline.after(5))


def test_a_pool_that_boots_slowly_has_its_own_deadline(head: HeadNode) -> None:
    head.change(pools=(structs.replace(head.manifest.pools[0], boot_timeout=590.0),))
    head.note("ours", age=OVERDUE)
    head.make_vm()
    head.slurm.say(BOOTING, NODE)
    head.looks()
    assert not [update for update in head.slurm.updates() if "State=" in update]  # it is seen to, and not given up
    head.change(pools=(structs.replace(head.manifest.pools[0], boot_timeout=OVERDUE),))
    head.looks()
    given_up = next(update for update in head.slurm.updates() if "State=DOWN" in update)
    assert f"xio:boot no slurmd registered within {OVERDUE:g} s" in given_up


def test_a_vm_that_never_boots_is_given_up_and_counted(head: HeadNode) -> None:
    head.note("ours", age=OVERDUE)
    head.make_vm()
    head.slurm.say(BOOTING, NODE)
    head.look()
    assert head.slurm.updates() == []
    head.looks()
    down, power_down = head.slurm.updates()[:2]
    assert down.startswith(f"update NodeName={NODE} State=DOWN Reason=xio:boot no slurmd registered within 540 s")
    assert power_down == f"update NodeName={NODE} State=POWER_DOWN"
    assert breaker(head).boot_failures == 1
    assert breaker(head).gate is Gate.OPEN


def test_so_many_in_a_row_close_the_pool_until_somebody_has_looked(head: HeadNode) -> None:
    nodes = [f"xspot-vm-amd-{number}" for number in (1, 2, 3)]
    for node in nodes:
        head.note("ours", node=node, age=OVERDUE)
        head.make_vm(node)
    head.slurm.say(BOOTING, *nodes)
    head.looks()
    assert (breaker(head).gate, breaker(head).cause, breaker(head).until) == (Gate.CLOSED, "boot", None)


def test_a_node_that_comes_up_ends_the_row(head: HeadNode) -> None:
    Breakers(head.manifest.state_dir).change(POOL, lambda _before: Breaker(POOL, boot_failures=2), Deadline.after(5))
    head.note("ours", age=10.0)
    head.make_vm()
    head.slurm.say(BOOTING, NODE)
    head.slurm.say(RUNNING, NODE_2)  # it was on before
    head.looks()
    assert breaker(head).boot_failures == 2
    head.slurm.say(RUNNING, NODE)
    head.look()
    assert breaker(head).boot_failures == 0


def test_a_vm_that_is_gone_behind_a_running_node(head: HeadNode) -> None:
    head.note("ours", age=1000.0)
    head.slurm.say(RUNNING, NODE)
    head.looks()
    assert head.slurm.updates()[0] == f"update NodeName={NODE} State=DOWN Reason=xio:boot the VM is gone"
    assert breaker(head).boot_failures == 0


def test_a_list_that_lacks_the_vm_of_a_running_node_kills_no_job(head: HeadNode) -> None:
    head.note("ours", age=1000.0)
    head.make_vm()
    head.slurm.say(RUNNING, NODE)
    head.emulator.add_fault(effect="status", status=200, text='{"Vms": []}', match={"path": "/v1/xcompute/vms"})
    head.looks(3)
    assert head.slurm.updates() == []
    assert head.emulator.requests("GET", f"/vm/{NODE}")


def test_a_foreign_vm_in_the_way_is_given_up(head: HeadNode) -> None:
    head.note("foreign")
    head.make_vm()
    head.slurm.say(BOOTING, NODE)
    head.looks()
    assert head.slurm.updates()[0].startswith(f"update NodeName={NODE} State=DOWN Reason=xio:foreign ")
    assert head.vms() == {NODE}


def test_a_foreign_vm_of_a_node_never_seen_to_is_noted_before_the_node_is_given_up(head: HeadNode) -> None:
    head.make_vm()
    head.slurm.say(BOOTING, NODE)
    head.looks()
    assert head.slurm.updates()[0].startswith(f"update NodeName={NODE} State=DOWN Reason=xio:foreign ")
    assert head.phase() == "foreign", "the suspend that follows would delete it"


def test_a_node_whose_name_is_taken_stays_out_of_use(head: HeadNode) -> None:
    head.note("foreign")
    head.make_vm()
    head.slurm.say("DOWN+CLOUD+POWERED_DOWN", NODE, reason="xio:foreign the EMS has a VM of this name")
    head.looks(3)
    assert head.slurm.updates() == []
    head.emulator.reset()
    head.look()
    assert head.slurm.updates() == [f"update NodeName={NODE} State=RESUME"]


def test_a_closed_pools_idle_nodes_are_drained_and_come_back_one_before_the_others(head: HeadNode) -> None:
    close(head, POOL, seconds=0.5)
    head.look()
    (drained,) = head.slurm.updates()
    assert drained.startswith(f"update NodeName={NODE},{NODE_2} State=DRAIN Reason=xio:capacity pool amd is closed")
    reason = drained.partition("Reason=")[2]
    head.slurm.say("IDLE+CLOUD+DRAIN+POWERED_DOWN", NODE, NODE_2, reason=reason)
    head.look()
    assert len(head.slurm.updates()) == 1
    time.sleep(0.5)
    head.look()
    assert breaker(head).gate is Gate.HALF_OPEN
    assert head.slurm.updates()[1:] == [f"update NodeName={NODE} State=RESUME"]
    head.slurm.say(OFF, NODE)
    head.look()
    head.slurm.say(BOOTING, NODE)
    head.look()
    assert len(head.slurm.updates()) == 2  # that one is on its way


@pytest.mark.parametrize(
    "reason", ["xio:capacity gone", "ResumeTimeout reached", "Low RealMemory (reported:1 < 100.00% of configured:2)"]
)
def test_an_open_pools_nodes_are_released_whatever_a_failed_start_left(head: HeadNode, reason: str) -> None:
    head.slurm.say("DOWN+CLOUD+POWERED_DOWN", NODE, reason=reason)
    head.slurm.say("IDLE+CLOUD+DRAIN+POWERED_DOWN", NODE_2, reason="to be repaired")
    head.look()
    assert head.slurm.updates() == [f"update NodeName={NODE} State=RESUME"]


def test_without_a_sync_that_stays_no_node_is_drained(head: HeadNode) -> None:
    head.stays = False
    close(head, POOL, seconds=60)
    head.look()
    assert head.slurm.updates() == []


def test_a_node_that_a_job_gets_meanwhile_is_not_drained(head: HeadNode) -> None:
    close(head, POOL, seconds=60)
    scontrol = head.folder / "bin" / "scontrol"
    # The second look, right before the update, finds a job on it.
    script = (
        scontrol.read_text()
        + f"""
if [ "$1 $2" = "show node" ]; then
    sed -i 's/\\(NodeName={NODE} .*\\)State=IDLE/\\1State=ALLOCATED/' {head.folder}/nodes
fi
"""
    )
    scontrol.write_text(script)
    head.look()
    (drained,) = head.slurm.updates()
    assert drained.startswith(f"update NodeName={NODE_2} State=DRAIN")


def test_the_ems_that_answers_again_opens_all_pools_at_once(head: HeadNode) -> None:
    close(head, EVERY_POOL, seconds=600, cause="unreachable")
    fault = head.emulator.add_fault(effect="lost-request", match={"path": "/v1/xcompute/vms"})
    head.looks(2)
    assert breaker(head, EVERY_POOL).gate is Gate.CLOSED
    head.emulator.remove_fault(fault)
    head.look()
    assert breaker(head, EVERY_POOL) == Breaker(EVERY_POOL)


def test_while_the_ems_does_not_answer_its_breaker_stays(head: HeadNode) -> None:
    close(head, EVERY_POOL, seconds=0.1, cause="unreachable")
    head.emulator.add_fault(effect="lost-request", match={"path": "/v1/xcompute/vms"})
    time.sleep(0.2)
    head.look()
    assert breaker(head, EVERY_POOL).gate is Gate.CLOSED


def test_a_node_that_slurm_would_never_choose_is_cycled(head: HeadNode) -> None:
    head.slurm.say("IDLE+CLOUD+NOT_RESPONDING+POWERED_DOWN", NODE)
    head.looks()
    assert head.slurm.updates() == [f"update NodeName={NODE} State=POWER_DOWN"]


def test_where_slurm_chooses_it_all_the_same_it_is_left(head: HeadNode) -> None:
    head.slurm.be("22.05.8")
    head.slurm.say("IDLE+CLOUD+NOT_RESPONDING+POWERED_DOWN", NODE)
    head.looks(3)
    assert head.slurm.updates() == []


def test_a_reservation_is_left(head: HeadNode) -> None:
    head.slurm.say("IDLE+CLOUD+POWERED_DOWN+RESERVED", NODE)
    close(head, POOL, seconds=60)
    head.look()
    assert [line.partition(" State=DRAIN")[0] for line in head.slurm.updates()] == [f"update NodeName={NODE_2}"]


def test_an_administrators_nodes_are_left(head: HeadNode) -> None:
    head.slurm.say("DOWN+CLOUD+POWERED_DOWN", NODE, reason="broken fan")
    head.slurm.say("IDLE+CLOUD+MAINTENANCE+POWERED_DOWN+NOT_RESPONDING", NODE_2, reason="xio:boot")
    close(head, POOL, seconds=60)
    head.looks(3)
    assert head.slurm.updates() == []


def test_a_node_that_has_registered_is_noted_once_with_its_time(head: HeadNode) -> None:
    head.make_vm()
    head.note("ours", age=42)
    head.slurm.say(BOOTING, NODE)
    head.look()
    head.slurm.say(RUNNING, NODE)
    head.looks(3)
    (registered,) = head.events("registered")
    assert (registered["node"], registered["pool"]) == (NODE, POOL)
    assert 42 <= registered["seconds"] < 60
