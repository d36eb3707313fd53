"""What each failure of a start (``xio:<code>``) means to who is paged, and what mends it. Pure."""

import re
from collections.abc import Mapping
from typing import Final

from xio_slurm.desk.story.conclusion import Conclusion, stuck, waits
from xio_slurm.desk.story.seen import Seen
from xio_slurm.power.breaker import EVERY_POOL, Breaker
from xio_slurm.power.pool_nodes import why_closed

_OURS: Final = re.compile(r"xio: ?([a-z]+)[: ]*(.*)", re.DOTALL)

MEANINGS: Final[Mapping[str, str]] = {
    "capacity": "the EMS has no capacity for it",
    "rejected": "the EMS refused its VM",
    "unreachable": "the EMS gave no answer",
    "ems": "the EMS made no VM, however often it was asked",
    "foreign": "the EMS has a VM of this name that this cluster didn't make",
    "ledger": "the programs' own state folder fails",
    "closed": "its pool was closed already",
    "surplus": "it was given back, since another node of its job failed",
    "boot": "its VM was made, and its slurmd never registered",
    "unowned": "the manifest doesn't know it",
    "delegate": "the program for nodes that aren't ours failed",
    "bug": "xio-slurm made a mistake",
}
"""By code; one for each that there is."""


def split_reason(reason: str) -> tuple[str, str] | None:
    """Code and words of a reason or comment of ours; None for another's."""
    found = _OURS.match(reason)
    return (found[1], found[2].strip()) if found is not None else None


def what_happened(code: str, text: str) -> str:
    """The failure in a sentence, with the words of whoever said no."""
    meaning = MEANINGS.get(code, f"its start failed (xio:{code})")
    return f"{meaning}: {text}" if text else meaning


def remedy(code: str, node: str, pool: str) -> tuple[str, ...]:
    """What to do about a failure of that code."""
    where = f" --pool {pool}" if pool else ""
    return {
        "capacity": ("nothing, or let the job use other partitions, too; where spot capacity is: xio spot-score",),
        "rejected": (f"mend what the EMS says (image, profile, pool), then see a VM come up: xio vm test{where}",),
        "unreachable": ("see that the EMS runs and can be reached: xio doctor",),
        "ems": (f"look at the EMS's own log, then see a VM come up: xio vm test{where}",),
        "foreign": (f"delete that VM in the EMS if nobody needs it, or choose another NodePrefix: xio vm show {node}",),
        "ledger": ("see to StateDir: its disk, owner and mode: xio doctor",),
        "closed": (f"see why it is closed: xio explain {pool or node}",),
        "surplus": ("nothing: its job begins again by itself",),
        "boot": (
            f"look at the image, munge and slurmd's log on a VM of your own, and at its console: xio vm test{where}",
        ),
        "unowned": ("have slurm.conf and manifest be of one configuration: xio apply",),
        "delegate": ("look at the log of that program (ParallelCluster's)",),
        "bug": ("send the report that xio.log names",),
    }.get(code, (f"look at xio.log: {code}",))


def closed_pool(seen: Seen, breaker: Breaker, whom: str) -> Conclusion:
    """``whom`` waits for a pool that is closed."""
    cause = f"{whom}{why_closed(breaker)}"
    by_hand = ("when what it says is mended: xio pool open " + (breaker.pool or "--all"),)
    if breaker.cause == "administrator":
        return stuck(cause, *by_hand)
    if breaker.cause == "boot":
        return stuck(cause, *remedy("boot", "", breaker.pool), *by_hand)
    if not seen.sync_is_alive:
        return stuck(cause, *start_sync("opens it again"))
    first = remedy(breaker.cause, "", breaker.pool)
    return waits(cause, *first, *(by_hand if breaker.cause == "rejected" else ()))


def half_open_pool(seen: Seen, breaker: Breaker, whom: str) -> Conclusion:
    """``whom`` waits for a pool that is tried with one node."""
    pool = f"pool {breaker.pool} lets" if breaker.pool != EVERY_POOL else "all pools let"
    what = what_happened(breaker.cause, breaker.text)
    cause = f"{whom}{pool} one node through, to see whether it is over that {what}"
    return waits(cause, "wait") if seen.sync_is_alive else stuck(cause, *start_sync("opens it"))


def start_sync(what: str) -> tuple[str, ...]:
    """xio sync isn't at work, and would do this."""
    return (f"xio sync isn't at work, which {what}: systemctl start xio-sync",)
