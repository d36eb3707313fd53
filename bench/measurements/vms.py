"""VMs made by xio-resume and deleted by xio-suspend, against a shell loop, bare thread pools, and the bound."""

import json
import shutil
import statistics
import tempfile
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from bench.figures import Batch
from bench.site import CONCURRENCY, USER_DATA, Site, fast_ems
from bench.timing import TREE, BenchError, Ran, Say, timed

_LATENCIES: Final = (0.0, 0.05, 0.2)
_REPEATED: Final = {1: 5, 10: 5, 100: 3, 1_000: 3, 10_000: 1}
"""Nodes → how often; the figure is the median."""
_LOOP_NODES: Final = 10


Action = Literal["resume", "suspend"]
_VERB: Final[dict[Action, str]] = {"resume": "create", "suspend": "delete"}


@dataclass
class _Times:
    """What one action took, a value each time."""

    xio: list[Ran] = field(default_factory=list)
    pools: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    slurm_calls: list[int] = field(default_factory=list)


def measure(quick: bool, say: Say) -> Iterator[Batch]:
    """Resume and suspend, for each number of nodes and each latency. ``quick``: up to 100 nodes, once."""
    for latency in _LATENCIES:
        with fast_ems(latency) as url:
            loop = {action: _loop(action, url) for action in _VERB}
            for nodes, times in _REPEATED.items():
                if quick and nodes > 100:
                    continue
                for row in _batches(nodes, latency, url, loop, 1 if quick else times):
                    say(f"{row.action} {nodes} at {latency * 1000:g} ms: {row.seconds:.2f} s, pool {row.pool:.2f} s")
                    yield row


def _batches(nodes: int, latency: float, url: str, loop: dict[Action, float], times: int) -> Iterator[Batch]:
    folder = Path(tempfile.mkdtemp(prefix="xio-bench-"))
    try:
        site = Site.make(folder / "site", nodes, url)
        taken = _take(site, url, times, ("http.client",) if latency else ("http.client", "requests"))
    finally:
        shutil.rmtree(folder)
    for action, each in taken.items():
        yield Batch(
            action=action,
            nodes=nodes,
            latency=latency,
            seconds=statistics.median(ran.seconds for ran in each.xio),
            mebibytes=max(ran.mebibytes for ran in each.xio),
            slurm_calls=max(each.slurm_calls),
            pool=statistics.median(each.pools["http.client"]),
            requests_pool=statistics.median(each.pools["requests"]) if "requests" in each.pools else None,
            bound=latency * nodes / CONCURRENCY if nodes > CONCURRENCY else latency,
            loop=loop[action] * nodes / _LOOP_NODES,
            loop_nodes=_LOOP_NODES,
        )


def _take(site: Site, url: str, times: int, clients: Sequence[str]) -> dict[Action, _Times]:
    """In turn, so that what else the machine does hits all of them alike."""
    taken: dict[Action, _Times] = {action: _Times() for action in _VERB}
    for _ in range(times):
        for action in _VERB:
            site.slurm_calls()
            taken[action].xio.append(timed(*site.program(f"xio-{action}")))
            taken[action].slurm_calls.append(site.slurm_calls())
            _check(url, site.nodes if action == "resume" else 0)
        for client in clients:
            for action, verb in _VERB.items():
                taken[action].pools[client].append(site.bare_pool(client, verb, url))
                _check(url, site.nodes if action == "resume" else 0)
    return taken


def _loop(action: Action, url: str) -> float:
    with tempfile.NamedTemporaryFile("w", prefix="xio-bench-") as names:
        names.write("".join(f"loop-{number}\n" for number in range(_LOOP_NODES)))
        names.flush()
        command = (TREE / "bench" / "curl_loop.sh", _VERB[action], url, USER_DATA)
        path = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
        return timed(*command, environment=path, input_file=Path(names.name)).seconds


def _check(url: str, nodes: int) -> None:
    with urllib.request.urlopen(f"{url}/v1/xcompute/vms", timeout=30) as answer:  # noqa: S310  our own URL
        vms = len(json.load(answer)["Vms"])
    if vms != nodes:
        raise BenchError(f"the EMS has {vms} VMs where {nodes} should be")
