"""What the metrics are, by what was seen and what has happened so far. Pure.

A pool's series are there from the beginning, at 0: so the first refusal is an increase. What isn't known has none.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from xio_slurm.desk.metrics.exposition import Family, Sample, number
from xio_slurm.desk.metrics.totals import BUCKETS, CAUSES, EVERY, REFUSALS, Boots, Totals
from xio_slurm.desk.status import STATES, PoolStatus, Status
from xio_slurm.manifest import Manifest
from xio_slurm.power.situation import Gate


def families(manifest: Manifest, status: Status, totals: Totals) -> tuple[Family, ...]:
    """Everything."""
    now = (*_of_the_cluster(status), *_of_the_pools(manifest, status))
    return (*now, *_counters(manifest, totals), _boots(manifest, totals))


def _of_the_cluster(status: Status) -> Iterator[Family]:
    slurm = status.total.nodes is not None
    yield _gauge("xio_slurm_up", "Whether slurmctld told its nodes.", [_all(slurm)])
    yield _gauge("xio_ems_up", "Whether the EMS listed its VMs.", [] if status.ems is None else [_all(status.ems)])
    yield _gauge("xio_sync_alive", "Whether xio sync is at work.", [_all(status.synced)])
    yield _gauge("xio_looked_timestamp_seconds", "When this was seen, in seconds since 1970.", [_all(status.time)])


def _of_the_pools(manifest: Manifest, status: Status) -> Iterator[Family]:
    pools = status.pools
    deadlines = [_of(pool.name, manifest.boot_timeout(pool.name)) for pool in manifest.pools]
    nodes = [
        Sample("", {"pool": pool.pool, "state": state}, pool.nodes.get(state, 0))
        for pool in pools
        if pool.nodes is not None
        for state in STATES
    ]
    gates = [
        Sample("", {"pool": pool.pool, "gate": gate.value}, pool.breaker.gate is gate)
        for pool in pools
        for gate in Gate
    ]
    oldest = [_of(pool.pool, pool.oldest.seconds if pool.oldest else 0) for pool in pools if pool.nodes is not None]
    yield _gauge("xio_nodes", "Nodes by state; those that are busy or idle are up, too.", nodes)
    yield _gauge("xio_vms", "VMs that the EMS has of the pool's nodes' names.", _known(pools, lambda it: it.vms))
    yield _gauge(
        "xio_mismatches", "Nodes about which xio sync would do something.", _known(pools, lambda it: it.mismatches)
    )
    yield _gauge("xio_orphans", "VMs of ours that nobody wants.", _known(pools, lambda it: it.orphans))
    yield _gauge("xio_foreign_vms", "VMs of our nodes' names that aren't ours.", _known(pools, lambda it: it.foreign))
    yield _gauge("xio_pool_gate", "1 for the gate that the pool has: open, half-open or closed.", gates)
    yield _gauge("xio_oldest_boot_seconds", "How long ago the oldest VM that still boots was asked for.", oldest)
    yield _gauge("xio_boot_timeout_seconds", "After so long a node that boots is given up.", deadlines)


@dataclass(frozen=True, slots=True)
class _Counted:
    what: str
    name: str
    text: str
    codes: tuple[str, ...] = ("",)
    every: bool = False


_COUNTED: Final = (
    _Counted("asked", "xio_asked", "VMs that the EMS was asked for and makes."),
    _Counted("refused", "xio_refused", "Nodes for which the EMS made no VM, by the code of the reason.", REFUSALS),
    _Counted("boot-failed", "xio_boot_failures", "VMs that were made, and whose node never came up."),
    _Counted("deleted", "xio_orphans_deleted", "VMs that xio sync deleted, since nobody wanted them."),
    _Counted("closed", "xio_pool_closings", "How often the pool was closed, by the code of the cause.", CAUSES, True),
)


def _counters(manifest: Manifest, totals: Totals) -> Iterator[Family]:
    pools = [pool.name for pool in manifest.pools]
    for each in _COUNTED:
        samples = tuple(
            Sample("_total", {"pool": pool} | ({"code": code} if code else {}), totals.counts[each.what, pool, code])
            for pool in (*pools, *((EVERY,) if each.every else ()))
            for code in each.codes
        )
        yield Family(each.name, "counter", each.text, samples)
    held = Sample("_total", {}, totals.counts["held", "", ""])
    yield Family("xio_held_jobs", "counter", "Jobs that were held after too many failed starts.", (held,))


def _boots(manifest: Manifest, totals: Totals) -> Family:
    samples: list[Sample] = []
    for pool in manifest.pools:
        boots = totals.boots.get(pool.name) or Boots()
        labels = {"pool": pool.name}
        for bucket, count in zip(BUCKETS, accumulate(boots.counts), strict=True):
            samples.append(Sample("_bucket", labels | {"le": _bound(bucket)}, count))
        samples += [Sample("_sum", labels, boots.seconds), Sample("_count", labels, sum(boots.counts))]
    return Family("xio_boot_seconds", "histogram", "From the request for a VM until its node was up.", tuple(samples))


def _bound(bucket: float) -> str:
    """OpenMetrics wants a float where it is one."""
    text = number(bucket)
    return f"{text}.0" if text.isdecimal() else text


def _gauge(name: str, text: str, samples: Iterable[Sample]) -> Family:
    return Family(name, "gauge", text, tuple(samples))


def _all(value: float) -> Sample:
    return Sample("", {}, value)


def _of(pool: str, value: float) -> Sample:
    return Sample("", {"pool": pool}, value)


def _known(pools: Iterable[PoolStatus], value: Callable[[PoolStatus], int | None]) -> list[Sample]:
    found = ((pool.pool, value(pool)) for pool in pools)
    return [_of(name, count) for name, count in found if count is not None]
