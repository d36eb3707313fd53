"""All that doctor looks at, as it was seen: what is judged is this, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from xio_slurm.desk.looks import NotSeenError, Unseen
from xio_slurm.ems.documents import Document
from xio_slurm.manifest import Manifest
from xio_slurm.power.breaker import Breaker
from xio_slurm.power.heartbeat import Heartbeat
from xio_slurm.power.sync.observation import Observation
from xio_slurm.power.sync.proposals import Proposal
from xio_slurm.slurm.conf import SlurmConf
from xio_slurm.slurm.registrations import Registration
from xio_slurm.slurm.version import Version

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Definitions:
    """The folder of the manifest. ``digest`` is that of the node definitions, None where there are none.

    ``settled``: no interrupted run has left files that are not in their places yet.
    """

    path: str
    digest: str | None
    settled: bool


@dataclass(frozen=True, slots=True)
class Programs:
    """slurm.conf's programs. ``unusable``: why slurmctld can't call them, a line each. ``read_manifest``: whether they
    read the manifest that is examined."""

    resume: str | None
    suspend: str | None
    unusable: tuple[str, ...]
    read_manifest: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that the programs write. ``problem``: why it can't be used at all, in a word or two.

    ``writable`` for who runs this, its owner if that is root. ``free`` in bytes, ``files`` in inodes, None where they
    aren't counted. ``others``: files in it that aren't its owner's.
    """

    path: str
    problem: str | None = None
    owner: str = ""
    writable: bool = True
    free: int = 0
    files: int | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ems:
    """That the EMS answers. ``ahead``: seconds by which its clock is ahead of ours; None: it doesn't tell."""

    ahead: float | None


@dataclass(frozen=True, slots=True)
class Cluster:
    """Slurm, the EMS's VMs and the ledger at one moment, and what ``xio sync`` would do about it.

    ``addresses`` are those of VMs whose node is overdue, None for a VM that has none.
    """

    observation: Observation
    proposals: tuple[Proposal, ...]
    breakers: Mapping[str, Breaker]
    addresses: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Configuration:
    """The YAML. ``errors``: its own, a line each. ``deployed``: whether manifest and nodes are made of it."""

    file: str
    errors: tuple[str, ...]
    warnings: int
    deployed: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """One examination. ``time`` in seconds since 1970."""

    manifest: Manifest
    manifest_path: str
    time: float
    definitions: Definitions | Unseen
    conf: SlurmConf | Unseen
    programs: Programs | Unseen
    settings: Mapping[str, str] | Unseen
    version: Version | Unseen | None
    registrations: Mapping[str, Registration] | Unseen
    cluster: Cluster | Unseen
    certificates: tuple[str, ...] | Unseen
    ems: Ems | Unseen
    profiles: frozenset[str] | Unseen
    images: frozenset[str] | Unseen
    environments: tuple[Document, ...] | Unseen
    state: Folder | Unseen
    log: Folder | Unseen
    heartbeat: Heartbeat | Unseen | None
    configuration: Configuration | Unseen | None = None

    @property
    def sync_is_alive(self) -> bool:
        """Whether ``xio sync`` is at work, as far as it was seen."""
        return isinstance(self.heartbeat, Heartbeat) and self.heartbeat.is_alive(self.time)


def known(value: T | Unseen) -> T:
    """What was seen. Raises NotSeenError."""
    if isinstance(value, Unseen):
        raise NotSeenError(value.why)
    return value
