"""Why a job is as it is: which of the causes is ours, and which is Slurm's own."""

from dataclasses import replace
from typing import Final

import pytest
from msgspec import structs

from tests.unit.desk.sights import (
    BOOTING,
    DEAD,
    FINE,
    NODE,
    NODE_2,
    NOW,
    OTHER,
    RUNNING,
    STUCK,
    WAITS,
    Case,
    closed,
    entry,
    event,
    job,
    judge,
    node,
    of_job,
    running,
    vm,
)
from xio_slurm.desk.looks import Unseen
from xio_slurm.power.breaker import EVERY_POOL
from xio_slurm.power.situation import Gate

CASES: Final[dict[str, Case]] = {
    "unknown job": (of_job(), FINE, "Slurm doesn't know job 12", "sacct"),
    "job without slurmctld": (replace(of_job(), jobs=Unseen("away")), STUCK, "Slurm doesn't answer: away", "slurmctld"),
    "job runs": (
        of_job(running(), nodes=(node(RUNNING),)),
        FINE,
        "nothing is wrong with job 12: it is running",
        "nothing",
    ),
    "job of others' nodes": (of_job(running("pc-1")), FINE, "none of the nodes of job 12", "nothing"),
    "job boots": (
        of_job(running(state="CONFIGURING"), nodes=(node(BOOTING),), near=(entry("ours"), vm())),
        WAITS,
        "job 12 waits for a node: the VM of xspot-vm-amd-1 has been in the making",
        "wait",
    ),
    "one of two nodes boots": (
        of_job(
            running(NODE, NODE_2, state="CONFIGURING"),
            nodes=(node(RUNNING, NODE_2), node(BOOTING)),
            near=(entry("ours"), vm()),
        ),
        WAITS,
        "job 12 waits for 1 of 2 nodes: the VM of xspot-vm-amd-1",
        "wait",
    ),
    "job's node is silent": (
        of_job(running(), nodes=(node("ALLOCATED+CLOUD+NOT_RESPONDING"),), near=(entry("ours"), vm("a"))),
        STUCK,
        "job 12 has trouble with a node: the slurmd of",
        "xio vm show",
    ),
    "job ended": (of_job(job("COMPLETED")), FINE, "has ended: completed", "nothing"),
    "job failed": (of_job(job("NODE_FAIL", "NodeDown")), STUCK, "has ended: node fail, NodeDown", "scontrol show job"),
    "held by us": (
        of_job(job(reason="JobHeldAdmin", priority=0, comment="xio: capacity held after 5 failed starts: none left")),
        STUCK,
        "job 12 is held after 5 failed starts: none left",
        "scontrol release 12",
    ),
    "held by its user": (
        of_job(job(reason="JobHeldUser", priority=0)),
        STUCK,
        "held by its user",
        "scontrol release 12",
    ),
    "held by root": (
        of_job(job(reason="JobHeldAdmin", priority=0)),
        STUCK,
        "by an administrator",
        "scontrol release 12",
    ),
    "begins again": (
        of_job(job(reason="BeginTime", start=NOW + 9, restarts=1, comment="xio: ems failed start 1 of 5: EMS 500")),
        WAITS,
        "a start of job 12 failed, and it begins again at",
        "look at the EMS's own log",
    ),
    "begins again, by Slurm": (
        of_job(job(reason="BeginTime", start=NOW + 9, restarts=1), events=(event("boot-failed"),)),
        WAITS,
        "never registered",
        "xio vm test --pool amd",
    ),
    "begins again, all closed": (
        of_job(
            job(reason="BeginTime", start=NOW + 9, restarts=1, comment="xio: closed pool amd"),
            breakers=closed() | closed(pool=OTHER, until=NOW + 30),
        ),
        WAITS,
        "pool intel is closed until",
        "xio spot-score",
    ),
    "was requeued": (of_job(job(restarts=1)), WAITS, "a start of job 12 failed, and it begins again soon", "wait"),
    "begins later": (
        of_job(job(reason="BeginTime", start=NOW + 3600)),
        WAITS,
        "Slurm's own reason BeginTime",
        "starttime=now",
    ),
    "just submitted": (of_job(job()), WAITS, "hasn't looked at job 12 yet", "wait"),
    "its pool closed": (
        of_job(job(reason="Resources", partitions=("xio-amd",)), breakers=closed()),
        WAITS,
        "job 12 waits, since pool amd is closed until",
        "xio spot-score",
    ),
    "its pool tried": (
        of_job(
            job(reason="Resources", partitions=("xio-amd",)),
            breakers={"amd": structs.replace(closed()["amd"], gate=Gate.HALF_OPEN)},
        ),
        WAITS,
        "job 12 waits, since pool amd lets one node through, to see whether it is over that the EMS has no capacity",
        "wait",
    ),
    "its pool closed, no sync": (
        of_job(job(reason="Resources", partitions=("xio-amd",)), breakers=closed(), **DEAD),
        STUCK,
        "pool amd is closed until",
        "xio sync isn't at work",
    ),
    "its pool closed by hand": (
        of_job(job(reason="Priority", partitions=("xio-amd",)), breakers=closed("administrator", until=None)),
        STUCK,
        "until it is opened by hand: none left",
        "xio pool open amd",
    ),
    "its pools closed": (
        of_job(job(reason="Resources"), breakers=closed() | closed("boot", OTHER, None)),
        WAITS,
        "all 2 pools of its partitions are closed; pool amd is closed",
        "xio spot-score",
    ),
    "all pools closed": (
        of_job(job(reason="Resources"), breakers=closed("unreachable", EVERY_POOL)),
        WAITS,
        "job 12 waits, since all pools are closed until",
        "xio doctor",
    ),
    "one of its pools closed": (
        of_job(job(reason="Resources"), breakers=closed()),
        WAITS,
        "3 free; closed: amd",
        "xio explain amd",
    ),
    "its nodes failed, no sync": (
        of_job(job(reason="Resources"), nodes=(node("DOWN+CLOUD+POWERED_DOWN", reason="xio:boot x"),), **DEAD),
        STUCK,
        "1 failed",
        "xio sync isn't at work",
    ),
    "its nodes are drained": (
        of_job(job(reason="Resources"), nodes=(node("IDLE+CLOUD+DRAIN", reason="disk"), node(RUNNING, NODE_2))),
        STUCK,
        "1 taken out by somebody, 1 in use",
        "sinfo -R",
    ),
    "its node is drained": (
        of_job(
            job(reason=f"ReqNodeNotAvail,_UnavailableNodes:{NODE}", requested=(NODE,)),
            nodes=(node("IDLE+CLOUD+DRAIN", reason="disk"),),
        ),
        STUCK,
        "asks for a node by name: xspot-vm-amd-1 was taken out of use by root",
        "state=resume",
    ),
    "its node is drained, told by 24.11": (
        of_job(
            job(reason="ReqNodeNotAvail,_May_be_reserved_for_other_job", requested=("cpu-1", NODE)),
            nodes=(node("IDLE+CLOUD+DRAIN", reason="disk"), node(RUNNING, NODE_2)),
        ),
        STUCK,
        "asks for a node by name: xspot-vm-amd-1 was taken out of use by root",
        "state=resume",
    ),
    "not ours at all": (
        of_job(job(reason="Resources", partitions=("cpu",))),
        WAITS,
        "for Slurm's own reason Resources",
        "man squeue",
    ),
    "priority": (of_job(job(reason="Priority")), WAITS, "other jobs of its partition come first", "squeue -p xio"),
    "qos": (of_job(job(reason="QOSMaxJobsPerUserLimit")), WAITS, "a limit of its account or QOS", "sacctmgr"),
    "dependency": (of_job(job(reason="Dependency")), WAITS, "it waits for another job", "scontrol show job 12"),
    "worst of an array": (
        of_job(running(id="12_1"), job(reason="JobHeldUser", priority=0, id="12_2"), nodes=(node(RUNNING),)),
        STUCK,
        "job 12_2 is held by its user",
        "scontrol release 12_2",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_cause_and_what_to_do(case: str) -> None:
    judge(CASES[case])
