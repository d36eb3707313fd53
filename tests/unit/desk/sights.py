"""What could be seen of a cluster: a node, a job and a pool as they mostly are, and each with what is wrong with it."""

import time
from dataclasses import replace
from typing import Any, Final

from tests.manifests import manifest_with
from xio_slurm.desk.event_log import Event
from xio_slurm.desk.story.conclusion import Weight
from xio_slurm.desk.story.seen import NodeSeen, Seen, Subject
from xio_slurm.desk.story.telling import story
from xio_slurm.ems.vms import Vm
from xio_slurm.ledger import Entry, Run
from xio_slurm.manifest import Pool, Recovery
from xio_slurm.power.breaker import Breaker, Cause
from xio_slurm.power.heartbeat import Heartbeat
from xio_slurm.power.situation import Gate
from xio_slurm.slurm.details import JobDetails, NodeDetails, parse_node_details

NOW: Final = 1_800_000_000.0
POOL: Final = "amd"
OTHER: Final = "intel"
NODE: Final = "xspot-vm-amd-1"
NODE_2: Final = "xspot-vm-amd-2"
OFF: Final = "IDLE+CLOUD+POWERED_DOWN"
BOOTING: Final = "ALLOCATED+CLOUD+NOT_RESPONDING+POWERING_UP"
RUNNING: Final = "ALLOCATED+CLOUD"

MANIFEST: Final = manifest_with(
    pools=tuple(Pool(name, "p", "image", 2, 1, 7200, None, 10) for name in (POOL, OTHER)),
    resume_timeout=600,
    recovery=Recovery(boot_timeout=500),
)


def node(state: str, name: str = NODE, reason: str = "") -> NodeDetails:
    """What Slurm says of a node, read from its own words."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(NOW - 100))
    because = f" Reason={reason} [root@{stamp}]" if reason else ""
    (found,) = parse_node_details(
        f"NodeName={name} NodeAddr={name} State={state} Partitions=xio,xio-{name[9:-2]}{because}"
    )
    return found


def job(state: str = "PENDING", reason: str = "", **fields: Any) -> JobDetails:
    """A job."""
    plain = JobDetails("12", 12, "ann", state, reason, ("xio",), 100, 0, NOW - 60, NOW - 60, None, (), (), (), "")
    return replace(plain, **fields)


def running(*nodes: str, state: str = "RUNNING", since: float = 40, **fields: Any) -> JobDetails:
    """A job that has nodes."""
    return job(state, nodes=nodes or (NODE,), start=NOW - since, **fields)


def entry(phase: str, ago: float = 30, **fields: Any) -> Entry:
    """The ledger's."""
    return Entry(NODE, POOL, phase, Run("r", NOW - ago), asked=NOW - ago, **fields)  # type: ignore[arg-type]  # a Phase


def vm(address: str | None = None) -> Vm:
    """The EMS's."""
    return Vm(NODE, address, None)


def event(kind: str, ago: float = 30, name: str = NODE, pool: str = POOL, **details: Any) -> Event:
    """One of the programs'."""
    return Event(NOW - ago, kind, "xio-resume", "r", name, pool, details)


def closed(cause: Cause = "capacity", pool: str = POOL, until: float | None = NOW + 60) -> dict[str, Breaker]:
    """A closed pool."""
    return {pool: Breaker(pool, Gate.CLOSED, cause, "none left", since=NOW - 60, until=until)}


def seen(subject: Subject, **fields: Any) -> Seen:
    """A cluster where nothing is wrong, but for what is given. ``near`` are entry and VM of NODE."""
    near = fields.pop("near", (None, None))
    nodes = fields.pop("nodes", (node(OFF), node(OFF, NODE_2), node(OFF, "xspot-vm-intel-1")))
    plain = Seen(
        manifest=MANIFEST,
        subject=subject,
        time=NOW,
        since=NOW - 86_400,
        nodes={each.state.name: each for each in nodes} if isinstance(nodes, tuple) else nodes,
        jobs=(),
        breakers={},
        heartbeat=Heartbeat(NOW, 1, "here", 15.0),
        proposals=(),
        near={NODE: NodeSeen(*near)},
    )
    return replace(plain, **fields)


def of_node(**fields: Any) -> Seen:
    """Somebody asks about the node."""
    return seen(Subject("node", NODE), **fields)


def of_job(*tasks: JobDetails, **fields: Any) -> Seen:
    """Somebody asks about the job."""
    return seen(Subject("job", "12"), jobs=tasks, **fields)


def of_pool(**fields: Any) -> Seen:
    """Somebody asks about the pool."""
    return seen(Subject("pool", POOL), **fields)


BOOTS: Final[dict[str, Any]] = {"nodes": (node(BOOTING),), "jobs": (running(state="CONFIGURING"),)}
"""Slurm waits for the node."""

UP: Final[dict[str, Any]] = {"nodes": (node(RUNNING),), "jobs": (running(),)}
"""It runs a job."""

DEAD: Final[dict[str, Any]] = {"heartbeat": Heartbeat(NOW - 9999, 1, "here", 15.0)}
"""No sync is at work."""

FINE, WAITS, STUCK = Weight

Case = tuple[Seen, Weight, str, str]
"""What is seen, how bad it is, and words of the cause and of what to do."""


def judge(case: Case) -> None:
    """See that the story says that."""
    sight, weight, cause, todo = case
    told = story(sight).conclusion
    assert cause in told.cause
    assert any(todo in line for line in told.todo), told.todo
    assert told.weight is weight
    assert "\n" not in told.cause
    assert not told.cause.endswith(".")
