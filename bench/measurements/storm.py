"""A storm of jobs on a large cluster, whose VMs are addresses and nothing else: is every node asked for, how soon?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bench.cluster import checked, cluster, fault, wait
from bench.figures import Storm
from bench.timing import Say

POOL_SIZE: Final = 1_000
_PARTS: Final = 4
_CONF: Final = """\
MaxArraySize=10001
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=1,default_queue_depth=10000,max_array_tasks=10001
"""


def measure(quick: bool, say: Say) -> Iterator[Storm]:
    """2,000 jobs on 5,000 nodes. ``quick``: 100 on 1,000."""
    pools, jobs = (1, 100) if quick else (5, 2_000)
    with cluster({f"p{number}": POOL_SIZE for number in range(pools)}, slurm_conf=_CONF) as lab:
        fault(lab, effect="script-fails")  # the VM has its address, and nothing runs in it
        command = ("--wrap", "true", "--output", "/dev/null")
        checked(lab, "sbatch", "-p", "xio", "-N", "1", "--exclusive", "--array", f"1-{jobs}", *command)
        wait(lambda: len({event["node"] for event in lab.events("asked")}) >= jobs, f"{jobs} VMs", 600)
        yield from _parts(lab.events("asked"), lab.events("called")[0]["time"], jobs, say)


def _parts(asked: Sequence[Mapping[str, Any]], began: float, jobs: int, say: Say) -> Iterator[Storm]:
    size = len(asked) // _PARTS
    for part in range(_PARTS):
        of_part = asked[part * size : (part + 1) * size]
        nodes, calls = ({event[key] for event in of_part} for key in ("node", "run"))
        row = Storm(part + 1, jobs, len(nodes), len(calls), of_part[-1]["time"] - began)
        began = of_part[-1]["time"]
        say(f"part {row.part}: {row.asked} nodes in {row.seconds:.1f} s, {row.calls} calls")
        yield row
