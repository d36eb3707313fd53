"""Events as the programs note them, and what a report makes of them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from tests.manifests import manifest_with
from xio_slurm.desk.event_log import Event
from xio_slurm.desk.report.figures import Figures, Period, PoolFigures
from xio_slurm.desk.report.gathering import Gathering
from xio_slurm.ledger import Entry, Run
from xio_slurm.manifest import Manifest, Pool

HOUR: Final = 3600.0
NOW: Final = 1_700_000_000.0
SINCE: Final = NOW - 168 * HOUR
PERIOD: Final = Period(SINCE, NOW)


def a_manifest(**prices: float) -> Manifest:
    """Two pools of ten nodes."""
    pools = (Pool(name, "p", "i", 10, 1, 7000, None, 10, vm_hour_price=prices.get(name)) for name in ("amd", "intel"))
    return manifest_with(pools=tuple(pools))


def node(pool: str = "amd", number: int = 1) -> str:
    """The name of a node."""
    return f"xspot-vm-{pool}-{number}"


def event(hours: float, kind: str, *, about: str = node(), program: str = "xio-resume", **details: Any) -> Event:
    """Something that happened so many hours after the period's beginning."""
    run = str(details.pop("run", f"{program}-{hours}"))
    pool = about.split("-")[2] if about else ""
    line = {"time": SINCE + hours * HOUR, "event": kind, "program": program, "run": run, "node": about, "pool": pool}
    return Event(SINCE + hours * HOUR, kind, program, run, about, pool, line | details)


def an_entry(hours: float, phase: str = "ours", *, about: str = node()) -> dict[str, Entry]:
    """A ledger with that node alone."""
    asked = SINCE + hours * HOUR
    return {about: Entry(about, about.split("-")[2], phase, Run("r", asked), asked)}  # type: ignore[arg-type]


def figures(
    events: Iterable[Event],
    ledger: Mapping[str, Entry] | None = {},
    manifest: Manifest | None = None,
    period: Period = PERIOD,
) -> Figures:
    """What a report says of them."""
    gathering = Gathering(manifest or a_manifest(), period, NOW)
    gathering.fold(events)
    return gathering.figures(ledger)


def pool_of(found: Figures, name: str = "amd") -> PoolFigures:
    """One pool's."""
    return next(pool for pool in found.pools if pool.pool == name)
