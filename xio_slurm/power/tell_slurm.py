"""Tells Slurm about the nodes that can't come up, so that their jobs wait for nothing that won't come.

The number of calls doesn't grow with the nodes: one look at the jobs, one at the nodes, an update for each reason.
"""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.errors import SlurmError, SlurmTimeout
from xio_slurm.events import Events
from xio_slurm.manifest import Manifest
from xio_slurm.power.call_gate import NOTHING_CHANGED, Closings
from xio_slurm.power.lost_starts import LostStart, lost_starts, sentence, surplus
from xio_slurm.power.node_updates import Update, updates_for, where_force_is_unknown
from xio_slurm.power.outcome import Failed
from xio_slurm.power.pool_doors import Doors
from xio_slurm.power.tell_jobs import tell_jobs
from xio_slurm.slurm.controller import Controller, controller
from xio_slurm.slurm.hostlist import fold
from xio_slurm.slurm.jobs import Job, jobs_with_nodes
from xio_slurm.slurm.resume_file import ResumeFile
from xio_slurm.slurm.states import NodeState

log = logging.getLogger("xio_slurm")

_MOST_NOTIFIED: Final = 20
"""Owners of interactive jobs told in one call: each is a call of scontrol."""


def tell_failures(
    manifest: Manifest,
    events: Events,
    deadline: Deadline,
    failures: Collection[Failed],
    *,
    closings: Closings = NOTHING_CHANGED,
    resume_file: ResumeFile | None = None,
    also_up: bool = False,
) -> None:
    """Have the failed nodes' jobs requeued at once. If Slurm can't be told, that is logged: it finds out by itself.

    Only nodes that power up are told of, since others have been seen to; with ``also_up`` those that are up too.
    """
    if not failures and not closings.opened:
        return
    # Slurm must be told even if the EMS took all the time that there was.
    slurm = controller(manifest, timeout=max(5.0, min(30.0, deadline.left())))
    teller = _Teller(manifest, events, slurm, Doors(manifest, events, deadline))
    try:
        if failures:
            teller.tell(failures, closings, resume_file, also_up=also_up)
        teller.doors.release(slurm, closings.opened)
    except SlurmError as error:
        log.error("Slurm can't be told of the failed nodes: %s", error)


@dataclass(frozen=True, slots=True)
class _Teller:
    manifest: Manifest
    events: Events
    controller: Controller
    doors: Doors

    def tell(
        self, failures: Collection[Failed], closings: Closings, resume_file: ResumeFile | None, *, also_up: bool
    ) -> None:
        """Nodes first, since a job waits again only then; then the closed pools' idle nodes; then the jobs."""
        nodes = {failure.node for failure in failures}
        jobs = self._jobs()
        names = nodes.union(*(job.nodes for job in jobs or () if nodes & {*job.nodes}))
        states = self.controller.nodes(names)
        told = [failure for failure in failures if _is_waited_for(states.get(failure.node), also_up=also_up)]
        if not told:
            return
        lost = lost_starts(told, jobs if jobs is not None else _jobs_of(resume_file))
        given_back: tuple[Failed, ...] = ()
        if jobs is not None and self.manifest.recovery.release_surplus:
            given_back = tuple(each for each in surplus(lost, jobs, states, self.manifest) if each.node not in nodes)
        self._notify(lost)
        for update in updates_for((*told, *given_back)):
            self._update(update)
        for each in given_back:
            self.events.record("surplus", node=each.node, text=each.text)
        self.doors.drain(self.controller, closings.closed)
        tell_jobs(self.manifest, self.events, self.controller, lost)

    def _jobs(self) -> tuple[Job, ...] | None:
        """Every job that holds nodes; None where squeue doesn't tell."""
        try:
            return jobs_with_nodes(self.manifest.slurm_bin_dir, slurm_conf=None)
        except SlurmError as error:
            log.warning("%s: which jobs hold the failed nodes is known only from SLURM_RESUME_FILE", error)
            return None

    def _notify(self, lost: Iterable[LostStart]) -> None:
        waiting = [start for start in lost if not start.job.batch]
        for start in waiting[:_MOST_NOTIFIED]:
            try:
                self.controller.notify(start.job.number, sentence(start))
            except SlurmError as error:
                log.warning("the owner of job %s isn't told: %s", start.job.id, error)

    def _update(self, update: Update) -> None:
        try:
            self.controller.set_state(update.nodes, update.state, update.reason)
        except SlurmTimeout:
            raise
        except SlurmError as error:
            if update.state != "POWER_DOWN_FORCE":
                raise
            log.info("%s: DOWN and POWER_DOWN instead", error)
            for each in where_force_is_unknown(update):
                self._update(each)
            return
        log.info("told Slurm: %s %s %s", fold(update.nodes), update.state, update.reason or "")
        for node in update.nodes:
            self.events.record("told", node=node, state=update.state, reason=update.reason)


def _is_waited_for(state: NodeState | None, *, also_up: bool) -> bool:
    if state is None:
        return False
    going = state.flags & {"POWERING_DOWN", "POWER_DOWN", "POWERED_DOWN"}
    return state.powering_up or (also_up and not going)


def _jobs_of(resume_file: ResumeFile | None) -> tuple[Job, ...]:
    """What the resume file tells of jobs. Their comments aren't known, and so not changed."""
    nodes = resume_file.nodes_of() if resume_file is not None else {}
    return tuple(Job(str(job), job, "", "", True, "?", names) for job, names in nodes.items())
