"""What a resume costs slurmctld, by its own account (sdiag): calls of ours, and of what programs like ours do."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bench.cluster import checked, cluster, fault, wait
from bench.figures import Load
from bench.timing import Say
from xio_slurm.lab import Lab

_SIZES: Final = (1, 100, 500, 1_000)
_RPC: Final = re.compile(
    r"^\t(REQUEST_\w+|MESSAGE_\w+)\s+\(\s*\d+\) count:(\d+)\s+ave_time:\d+\s+total_time:(\d+)", re.M
)
_CAUSED: Final = ("REQUEST_NODE_INFO", "REQUEST_NODE_INFO_SINGLE", "REQUEST_UPDATE_NODE", "REQUEST_PARTITION_INFO")
_EACH: Final = """#!/bin/sh
PATH=/usr/local/bin:/usr/bin:/bin
for node in $(scontrol show hostnames "$1"); do
    scontrol update NodeName="$node" NodeAddr=127.0.0.1
done
touch {folder}/done
"""
_Account = Mapping[str, tuple[int, float]]


def measure(quick: bool, say: Say) -> Iterator[Load]:
    """A resume that the EMS grants and one that it refuses, at each size; and a loop of scontrol beside them."""
    sizes = [size for size in _SIZES if not quick or size <= 100]
    pools = {f"{word}{size}": size for size in sizes for word in ("granted", "refused")}
    with cluster(pools) as lab:
        fault(lab, effect="never-boots")
        fault(lab, effect="status", status=400, error="no such image", match={"method": "POST", "pool": "refused*"})
        for pool, size in pools.items():
            nodes = f"xspot-vm-{pool}-{'1' if size == 1 else f'[1-{size}]'}"
            ended = _ended(lab)
            before = _powered_up(lab, nodes)
            _wait_for_another(lab, ended)
            yield from _told(f"xio-resume, {pool.rstrip('0123456789')}", size, _since(before, lab), say)
    with tempfile.TemporaryDirectory(prefix="xio-b-", dir="/tmp") as folder:
        yield from _one_by_one(Path(folder), sizes[-1], say)


def _one_by_one(folder: Path, size: int, say: Say) -> Iterator[Load]:
    """What the programs do that tell Slurm of each node by itself."""
    folder.chmod(0o777)
    program = folder / "resume"
    program.write_text(_EACH.format(folder=folder))
    program.chmod(0o755)
    with cluster({"p": size}, slurm_conf=f"ResumeProgram={program}\n") as lab:
        before = _powered_up(lab, f"xspot-vm-p-[1-{size}]")
        wait((folder / "done").exists, "the end of the loop")
        yield from _told("scontrol for each node", size, _since(before, lab), say)


def _powered_up(lab: Lab, nodes: str) -> _Account:
    """Have slurmctld start its ResumeProgram; the account when that was asked for."""
    checked(lab, "scontrol", "update", f"NodeName={nodes}", "State=POWER_UP")
    return _account(lab)


def _wait_for_another(lab: Lab, ended: int) -> None:
    wait(lambda: _ended(lab) > ended, "the end of xio-resume")


def _ended(lab: Lab) -> int:
    """How many calls of xio-resume have ended."""
    return len(lab.events("ended", program="xio-resume"))


def _account(lab: Lab) -> _Account:
    """Calls and seconds so far, by kind."""
    text = checked(lab, "sdiag").partition("by message type")[2].partition("by user")[0]
    return {kind: (int(count), int(micros) / 1e6) for kind, count, micros in _RPC.findall(text)}


def _since(before: _Account, lab: Lab) -> _Account:
    """What of the kinds that programs cause came since then."""
    now = _account(lab)
    none = (0, 0.0)
    return {
        kind: (now[kind][0] - before.get(kind, none)[0], now[kind][1] - before.get(kind, none)[1])
        for kind in _CAUSED
        if now.get(kind, none)[0] > before.get(kind, none)[0]
    }


def _told(who: str, size: int, calls: _Account, say: Say) -> Iterator[Load]:
    for kind, (count, seconds) in calls.items():
        yield Load(who, size, kind, count, seconds)
    total = sum(count for count, _ in calls.values()), sum(seconds for _, seconds in calls.values())
    say(f"{who} of {size} nodes: {total[0]} calls, {total[1] * 1000:.1f} ms of slurmctld's time")
    yield Load(who, size, "", *total)
