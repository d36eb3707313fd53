"""What was seen, for tests: a few nodes in given states."""

from typing import Any

from tests.manifests import manifest_with
from xio_slurm.desk.status_look import Look
from xio_slurm.ledger import Entry, Run
from xio_slurm.manifest import Manifest, Pool
from xio_slurm.power.breaker import Breaker
from xio_slurm.power.sync.observation import Observation
from xio_slurm.power.sync.proposals import propose
from xio_slurm.slurm.states import NodeState

NOW = 1_000_000.0
OFF = "IDLE+CLOUD+POWERED_DOWN"
BOOTING = "ALLOCATED+CLOUD+NOT_RESPONDING+POWERING_UP"


def cluster(*pools: str, size: int = 4) -> Manifest:
    """A manifest of these pools."""
    return manifest_with(pools=tuple(Pool(name, "amd", "image", size, 1, 7200, None, 10) for name in pools))


def node(pool: str, number: int) -> str:
    """A node's name."""
    return f"xspot-vm-{pool}-{number}"


def state(name: str, text: str, reason: str = "") -> NodeState:
    """A node as Slurm shows it."""
    base, *flags = text.split("+")
    return NodeState(name, base, frozenset(flags), name, reason)


def entry(name: str, phase: str, age: float, pool: str = "a") -> Entry:
    """The ledger's word, since so many seconds."""
    return Entry(name, pool, phase, Run("xio-resume-1-1", NOW - age), asked=NOW - age)  # type: ignore[arg-type]


def look(manifest: Manifest, *states: NodeState, **fields: Any) -> Look:
    """A look at these nodes; ``vms``, ``entries`` and ``breakers`` as given, else none."""
    vms = fields.get("vms", frozenset())
    entries = {each.node: each for each in fields.get("entries", ())}
    breakers: dict[str, Breaker] = {each.pool: each for each in fields.get("breakers", ())}
    seen = Observation(
        time=NOW,
        states={each.name: each for each in states},
        vms=vms,
        entries=entries,
        damaged=frozenset(),
        problems=(),
        silence_lasts=False,
    )
    proposals = propose(seen, manifest, breakers)
    return Look(
        time=NOW,
        seen=seen,
        vms=vms,
        ems=vms is not None,
        proposals=proposals,
        breakers=breakers,
        synced=True,
        problems=fields.get("problems", ()),
    )
