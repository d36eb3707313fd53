"""The figures of a report for programs."""

from dataclasses import asdict
from typing import Any

from xio_slurm.desk.report.figures import Figures, PoolFigures


def document(figures: Figures) -> dict[str, Any]:
    """What ``xio report --json`` prints: times in seconds since 1970, boots in seconds."""
    period = figures.period
    return {
        "complete": not figures.problems,
        "cluster": figures.cluster,
        "since": period.since,
        "until": period.until,
        "now": figures.now,
        "bin_seconds": period.width,
        "boot_steps": list(figures.steps),
        "currency": figures.currency,
        "pools": [_pool(pool) for pool in figures.pools],
        "total": _pool(figures.total),
        "failures": [asdict(kind) for kind in figures.kinds],
        "slowest": [asdict(boot) for boot in figures.slowest],
        "failed": [asdict(start) for start in figures.failed],
        "estimates": asdict(figures.estimates),
        "errors": list(figures.problems),
    }


def _pool(pool: PoolFigures) -> dict[str, Any]:
    load, boots = pool.load, pool.boots
    return {
        "pool": pool.pool or None,
        "vm_hours": load.hours,
        "vms": load.vms,
        "most_vms": load.peak,
        "average_vms_by_bin": list(load.average),
        "most_vms_by_bin": list(load.most),
        "asked": pool.asked,
        "failed_starts": pool.failed,
        "boots": None
        if boots is None
        else {"count": boots.count, "p50": boots.p50, "p95": boots.p95, "longest": pool.longest},
        "boots_by_step": list(pool.histogram),
        "vm_hour_price": pool.price,
        "cost": pool.cost,
    }
