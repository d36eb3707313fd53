"""All that is known about a node, a job or a pool, as it was seen: what is told is made of this, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from xio_slurm.desk.event_log import Event
from xio_slurm.desk.looks import Unseen
from xio_slurm.ems.vms import Vm
from xio_slurm.ledger import Entry
from xio_slurm.manifest import Manifest
from xio_slurm.power.breaker import Breaker
from xio_slurm.power.breakers import gate_of
from xio_slurm.power.heartbeat import Heartbeat
from xio_slurm.power.sync.proposals import Proposal
from xio_slurm.slurm.details import JobDetails, NodeDetails


@dataclass(frozen=True, slots=True)
class Subject:
    """What somebody asks about."""

    kind: Literal["node", "job", "pool"]
    name: str


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """One node from near: the ledger's entry, and the EMS's VM. None where there is none."""

    entry: Entry | Unseen | None
    vm: Vm | Unseen | None


@dataclass(frozen=True, slots=True)
class Seen:
    """One look. ``time`` in seconds since 1970, ``since`` how far back the events go.

    ``jobs`` are those that matter: the tasks of the job that is asked about, or all that Slurm knows. ``near`` are the
    nodes that were looked at one by one. ``boot_seconds`` is the usual time from ask to registration, by pool.
    ``former``: the nodes that the ledger knows, and the manifest doesn't have any more. ``resume_program``: why
    slurmctld can't call the ResumeProgram, as far as that can be seen from here; empty: it can.
    """

    manifest: Manifest
    subject: Subject
    time: float
    since: float
    nodes: Mapping[str, NodeDetails] | Unseen
    jobs: tuple[JobDetails, ...] | Unseen
    breakers: Mapping[str, Breaker] | Unseen
    heartbeat: Heartbeat | Unseen | None
    proposals: tuple[Proposal, ...] | Unseen
    former: frozenset[str] | Unseen = frozenset()
    resume_program: str = ""
    events: tuple[Event, ...] = ()
    events_problem: str = ""
    near: Mapping[str, NodeSeen] = field(default_factory=dict)
    boot_seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def sync_is_alive(self) -> bool:
        """Whether ``xio sync`` is at work. Where that can't be seen, it isn't doubted."""
        if isinstance(self.heartbeat, Unseen):
            return True
        return self.heartbeat is not None and self.heartbeat.is_alive(self.time)

    def breaker(self, pool: str) -> Breaker:
        """The breaker that counts for a pool."""
        return gate_of({} if isinstance(self.breakers, Unseen) else self.breakers, pool)

    def node(self, name: str) -> NodeDetails | None:
        """What Slurm says of a node; None where it knows none, or says nothing."""
        return None if isinstance(self.nodes, Unseen) else self.nodes.get(name)

    def is_ours(self, node: str) -> bool:
        """Whether a node is one of ours, or was."""
        was = not isinstance(self.former, Unseen) and node in self.former
        return was or self.manifest.pool_of(node) is not None

    def jobs_on(self, node: str) -> tuple[JobDetails, ...]:
        """The jobs that hold a node now."""
        jobs = () if isinstance(self.jobs, Unseen) else self.jobs
        return tuple(job for job in jobs if node in job.nodes and job.state in HOLDING)

    def proposals_for(self, node: str) -> tuple[Proposal, ...]:
        """What ``xio sync`` would do about a node now."""
        found = () if isinstance(self.proposals, Unseen) else self.proposals
        return tuple(proposal for proposal in found if proposal.node == node)

    def events_of(self, node: str, *kinds: str) -> tuple[Event, ...]:
        """The events about a node, of these kinds; without any, of all."""
        return tuple(event for event in self.events if event.node == node and (not kinds or event.kind in kinds))


HOLDING = frozenset(
    {"RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "STOPPED", "RESIZING", "SIGNALING", "STAGE_OUT"}
)
"""States of jobs that have nodes."""
