"""Why a pool is as it is."""

from typing import Final

import pytest

from tests.unit.desk.sights import (
    BOOTING,
    FINE,
    NODE,
    NODE_2,
    OFF,
    STUCK,
    WAITS,
    Case,
    closed,
    entry,
    job,
    judge,
    node,
    of_pool,
    vm,
)
from xio_slurm.desk.looks import Unseen
from xio_slurm.power.breaker import EVERY_POOL

CASES: Final[dict[str, Case]] = {
    "pool": (
        of_pool(near=(None, None)),
        FINE,
        "nothing is wrong with pool amd: it takes jobs, it has 2 nodes",
        "nothing",
    ),
    "closed": (of_pool(breakers=closed()), WAITS, "pool amd is closed until", "xio spot-score"),
    "rejected": (of_pool(breakers=closed("rejected")), WAITS, "pool amd is closed until", "xio pool open amd"),
    "closed with all": (
        of_pool(breakers=closed("administrator", EVERY_POOL, None)),
        STUCK,
        "all pools are closed",
        "xio pool open --all",
    ),
    "pool not in slurm": (of_pool(nodes=(node(OFF, "pc-1"),)), STUCK, "Slurm has no node of pool amd", "xio plan"),
    "pool without slurmctld": (of_pool(nodes=Unseen("away")), STUCK, "Slurm doesn't answer: away", "slurmctld"),
    "pool of drained nodes": (
        of_pool(nodes=(node("IDLE+CLOUD+DRAIN", reason="disk"), node(OFF, NODE_2))),
        STUCK,
        "1 of 2 nodes of pool amd are out of use, most of them: disk",
        "sinfo -R",
    ),
    "pool with a stuck node": (
        of_pool(nodes=(node(BOOTING), node(OFF, NODE_2)), near=(entry("ours", 501), vm())),
        STUCK,
        "pool amd takes jobs, but the VM of xspot-vm-amd-1 isn't up",
        f"xio explain {NODE}",
    ),
    "pool that jobs wait for": (
        of_pool(jobs=(job(reason="QOSMaxJobsPerUserLimit"),)),
        WAITS,
        "1 job that may use it waiting, mostly for Slurm's reason QOSMaxJobs",
        "xio explain 12",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_cause_and_what_to_do(case: str) -> None:
    judge(CASES[case])
