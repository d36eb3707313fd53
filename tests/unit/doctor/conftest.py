"""A cluster with nothing wrong, as it was seen: each test breaks what it is about."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.manifests import manifest_with
from xio_slurm.desk.doctor.seen import Cluster, Definitions, Ems, Folder, Programs, Seen
from xio_slurm.ledger import Entry, Run
from xio_slurm.manifest import Manifest, Pool
from xio_slurm.power.breaker import Breaker
from xio_slurm.power.heartbeat import Heartbeat
from xio_slurm.power.sync.observation import Observation
from xio_slurm.power.sync.proposals import propose
from xio_slurm.slurm.conf import SlurmConf, parse
from xio_slurm.slurm.registrations import Registration
from xio_slurm.slurm.states import parse_nodes
from xio_slurm.slurm.version import Version

NOW = 1_000_000.0
OFF = "IDLE+CLOUD+POWERED_DOWN"
NODES = ("n-a-1", "n-a-2", "n-b-1", "n-b-2")

MANIFEST = manifest_with(
    node_prefix="n-",
    cluster="lab",
    ems_url="http://10.0.0.1:5000",
    suspend_timeout=30,
    resume_timeout=600,
    node_definitions_digest="d1",
    pools=tuple(Pool(name, "amd", "rhel8", 2, 1, 1000, None, 10) for name in ("a", "b")),
)

CONF = """SlurmUser=slurm
ResumeProgram=/opt/xio/bin/xio-resume
SuspendProgram=/opt/xio/bin/xio-suspend
NodeName=n-a-[1-2],n-b-[1-2] State=CLOUD
"""


def conf(text: str = CONF) -> SlurmConf:
    """slurm.conf of that text."""
    return parse(text, "slurm.conf")


def entry(node: str, phase: Any = "ours", *, age: float = 10_000.0) -> Entry:
    """A ledger's entry of that age in seconds."""
    return Entry(node, "a", phase, Run("xio-resume-1", NOW - age), asked=NOW - age)


def cluster(
    lines: dict[str, str] | None = None,
    *entries: Entry,
    vms: set[str] | None = frozenset(),  # type: ignore[assignment]
    breakers: tuple[Breaker, ...] = (),
    addresses: dict[str, str | None] | None = None,
    problems: tuple[Any, ...] = (),
    manifest: Manifest = MANIFEST,
) -> Cluster:
    """All nodes powered down, but for those of ``lines``: a node's State, and what follows it in scontrol's line."""
    told = {**dict.fromkeys(NODES, OFF), **(lines or {})}
    states = {
        each.name: each for each in parse_nodes("\n".join(f"NodeName={node} State={it}" for node, it in told.items()))
    }
    listed = None if vms is None else frozenset(vms)
    by_node = {each.node: each for each in entries}
    seen = Observation(NOW, states, listed, by_node, frozenset(), problems, silence_lasts=False)
    known = {breaker.pool: breaker for breaker in breakers}
    return Cluster(seen, propose(seen, manifest, known), known, addresses or {})


WELL = Seen(
    manifest=MANIFEST,
    manifest_path="/etc/xio/manifest.json",
    time=NOW,
    definitions=Definitions("/etc/xio/xio.nodes.conf", "d1", settled=True),
    conf=conf(),
    programs=Programs("/opt/xio/bin/xio-resume", "/opt/xio/bin/xio-suspend", (), read_manifest=True),
    settings={
        "ResumeProgram": "/opt/xio/bin/xio-resume",
        "SuspendProgram": "/opt/xio/bin/xio-suspend",
        "SlurmctldParameters": "idle_on_node_suspend",
        "PrivateData": "cloud",
        "CommunicationParameters": "NoAddrCache",
    },
    version=Version(22, 5, 8),
    registrations={node: Registration(1000, None) for node in NODES},
    cluster=cluster(),
    certificates=(),
    ems=Ems(0.2),
    profiles=frozenset({"az1", "amd"}),
    images=frozenset({"rhel8"}),
    environments=(
        {
            "EnvName": "lab",
            "Pools": [{"PoolName": name, "ProfileName": "amd", "VM": {"ImageName": "rhel8"}} for name in ("a", "b")],
        },
    ),
    state=Folder("/var/lib/xio", owner="slurm", free=10**10, files=10**6),
    log=Folder("/var/log/xio", owner="slurm", free=10**10, files=10**6),
    heartbeat=Heartbeat(NOW - 5, 7, "head", 15.0),
)


@pytest.fixture
def seen() -> Callable[..., Seen]:
    """What was seen of that cluster, with other fields."""
    return lambda **fields: replace(WELL, **fields)
