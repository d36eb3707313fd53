"""Why a node is as it is, by all that can be seen of it."""

from typing import Final

import pytest

from tests.unit.desk.sights import (
    BOOTING,
    BOOTS,
    DEAD,
    FINE,
    NODE,
    NODE_2,
    OFF,
    POOL,
    STUCK,
    UP,
    WAITS,
    Case,
    closed,
    entry,
    event,
    judge,
    node,
    of_node,
    running,
    vm,
)
from xio_slurm.desk.looks import Unseen

CASES: Final[dict[str, Case]] = {
    "free": (of_node(), FINE, "nothing is wrong", "nothing"),
    "runs": (of_node(**UP, near=(entry("ours"), vm("10.0.0.1"))), FINE, "it is up and runs job 12", "nothing"),
    "no slurmctld": (of_node(nodes=Unseen("no answer")), STUCK, "Slurm doesn't answer: no answer", "slurmctld"),
    "not in slurm": (of_node(nodes=(node(OFF, NODE_2),)), STUCK, "Slurm doesn't know", "xio plan"),
    "drained": (
        of_node(nodes=(node("IDLE+CLOUD+DRAIN+POWERED_DOWN", reason="disk broken"),)),
        STUCK,
        "xspot-vm-amd-1 was taken out of use by root (IDLE+DRAIN+POWERED_DOWN) at ",
        "state=resume",
    ),
    "too little memory": (
        of_node(nodes=(node("IDLE+CLOUD+DRAIN+INVALID_REG", reason="Low RealMemory (reported:1 < 100.00%)"),)),
        STUCK,
        "less than slurm.conf says, so Slurm gives it no job: Low RealMemory",
        "RealMemory",
    ),
    "failed": (
        of_node(nodes=(node("DOWN+CLOUD+POWERED_DOWN", reason="xio:rejected create: EMS 400: no such image"),)),
        WAITS,
        "the EMS refused its VM: create: EMS 400: no such image",
        "xio vm test --pool amd",
    ),
    "failed, no sync": (
        of_node(nodes=(node("DOWN+CLOUD+POWERED_DOWN", reason="xio:boot none registered"),), **DEAD),
        STUCK,
        "its slurmd never registered: none registered",
        "xio sync isn't at work, which gives",
    ),
    "failed, pool closed": (
        of_node(nodes=(node("DOWN+CLOUD+POWERED_DOWN", reason="xio:closed pool amd"),), breakers=closed()),
        WAITS,
        "out of use: pool amd is closed until",
        "xio spot-score",
    ),
    "ResumeTimeout": (
        of_node(nodes=(node("DOWN+CLOUD+POWERED_DOWN", reason="ResumeTimeout reached"),)),
        WAITS,
        "its slurmd never registered: ResumeTimeout reached",
        "xio vm test",
    ),
    "lost": (
        of_node(nodes=(node("DOWN+CLOUD+POWERED_DOWN", reason="Not responding"),)),
        WAITS,
        "since Slurm lost it",
        "xio sync gives it back",
    ),
    "foreign": (of_node(**BOOTS, near=(None, vm("10.0.0.1"))), STUCK, "that this cluster didn't make", "xio vm show"),
    "foreign, known": (of_node(**BOOTS, near=(entry("foreign"), Unseen("x"))), STUCK, "didn't make", "xio vm show"),
    "refused": (
        of_node(**BOOTS, events=(event("refused", code="rejected", text="EMS 400: no image x"),)),
        STUCK,
        "30 s ago: the EMS refused its VM: EMS 400: no image x",
        "image",
    ),
    "refused, events lost": (
        of_node(**BOOTS, near=(entry("gone", error="EMS 400: no image x"), None)),
        STUCK,
        "the EMS said: EMS 400: no image x",
        "xio vm test",
    ),
    "ledger failed": (
        of_node(**BOOTS, events=(event("failed", code="ledger", text="/state: disk full"),)),
        STUCK,
        "state folder fails: /state: disk full",
        "xio doctor",
    ),
    "unreachable": (
        of_node(**BOOTS, events=(event("failed", code="unreachable", text="connection refused"),)),
        STUCK,
        "the EMS gave no answer: connection refused",
        "xio doctor",
    ),
    "refused before": (
        of_node(**BOOTS, near=(entry("ours"), vm()), events=(event("refused", 300, code="rejected", text="no"),)),
        WAITS,
        "has been in the making for 30 s, which takes at most 8 min",
        "wait",
    ),
    "refused, then asked": (
        of_node(
            **BOOTS,
            near=(entry("ours", 10), vm()),
            events=(event("refused", 30, code="ems", text="no"), event("asked", 10)),
        ),
        WAITS,
        "has been in the making for 10 s",
        "wait",
    ),
    "pool closed": (of_node(**BOOTS, breakers=closed()), WAITS, "gets no VM: pool amd is closed", "xio spot-score"),
    "no program": (
        of_node(
            nodes=(node(BOOTING),), jobs=(running(state="CONFIGURING", since=60),), resume_program="no ResumeProgram"
        ),
        STUCK,
        "xio-resume was never called for xspot-vm-amd-1: Slurm chose it 60 s ago, and no ResumeProgram",
        "slurmctld's log",
    ),
    "no call": (
        of_node(nodes=(node(BOOTING),)),
        STUCK,
        "never called for xspot-vm-amd-1: Slurm powers it up, and no event",
        "xio doctor",
    ),
    "call to come": (
        of_node(nodes=(node(BOOTING),), jobs=(running(state="CONFIGURING", since=10),)),
        WAITS,
        "calls xio-resume at its next pass",
        "wait",
    ),
    "called": (
        of_node(**BOOTS, events=(event("called", name="", hostlist=NODE),)),
        WAITS,
        "hasn't asked the EMS",
        "xio.log",
    ),
    "asking": (
        of_node(**BOOTS, near=(entry("asking", error="timed out"), None)),
        WAITS,
        "isn't known: timed out",
        "wait",
    ),
    "asking, no sync": (of_node(**BOOTS, **DEAD, near=(entry("asking"), None)), WAITS, "isn't known", "xio-sync"),
    "earlier VM": (of_node(**BOOTS, near=(entry("deleting"), vm())), WAITS, "the turn before", "xio vm show"),
    "EMS silent": (
        of_node(**BOOTS, near=(entry("ours"), Unseen("timed out"))),
        STUCK,
        "of it: timed out",
        "xio doctor",
    ),
    "VM vanished": (of_node(**BOOTS, near=(entry("ours"), None)), STUCK, "isn't there", "xio sync asks again"),
    "being made": (
        of_node(**BOOTS, near=(entry("ours", 39), vm()), boot_seconds={POOL: 55.0}),
        WAITS,
        "has been in the making for 39 s, which takes usually 55 s",
        "wait",
    ),
    "boots": (of_node(**BOOTS, near=(entry("ours", 39), vm("10.0.0.1"))), WAITS, "has been booting for 39 s", "wait"),
    "never up": (
        of_node(**BOOTS, near=(entry("ours", 39), vm()), boot_seconds={POOL: 15.0}),
        STUCK,
        "isn't up 39 s after it was asked for, which takes usually 15 s",
        "xio vm show",
    ),
    "never registers": (
        of_node(**BOOTS, near=(entry("ours", 39), vm("10.0.0.1")), boot_seconds={POOL: 15.0}),
        STUCK,
        "is up at 10.0.0.1, and its slurmd hasn't registered",
        "munge",
    ),
    "past its limit": (
        of_node(nodes=(node(BOOTING),), near=(entry("ours", 501), vm("10.0.0.1"))),
        STUCK,
        "hasn't registered 8 min after",
        "xio sync gives it up 8 min after",
    ),
    "going": (
        of_node(nodes=(node("IDLE+CLOUD+POWERING_DOWN"),), near=(entry("deleting", 7), vm())),
        WAITS,
        "is being powered down for 7 s",
        "wait",
    ),
    "going, failed": (
        of_node(nodes=(node("IDLE+CLOUD+POWERING_DOWN", reason="xio:capacity none left"),)),
        WAITS,
        "since its start failed: the EMS has no capacity for it: none left",
        "spot-score",
    ),
    "silent": (
        of_node(nodes=(node("ALLOCATED+CLOUD+NOT_RESPONDING"),), near=(entry("ours", 999), vm("10.0.0.1"))),
        STUCK,
        "doesn't answer, and its VM is there",
        "xio vm show",
    ),
    "VM died": (
        of_node(nodes=(node("ALLOCATED+CLOUD+NOT_RESPONDING"),), near=(entry("ours", 999), None)),
        STUCK,
        "doesn't answer: its VM is gone",
        "xio sync gives the node up",
    ),
    "off, pool closed": (
        of_node(breakers=closed("boot", until=None)),
        STUCK,
        "opened by hand: none left",
        "xio pool open amd",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_cause_and_what_to_do(case: str) -> None:
    judge(CASES[case])
