"""Sees to the jobs whose start has failed: they begin again soon, or are held, and say why."""

import logging
import random
import time
from collections.abc import Collection, Sequence
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.errors import LedgerError, SlurmError
from xio_slurm.events import Events
from xio_slurm.manifest import Manifest
from xio_slurm.plain_text import listed
from xio_slurm.power.failed_starts import FailedStarts, FailedStartsOfJobs
from xio_slurm.power.lost_starts import JobUpdate, LostStart, job_updates, once_more
from xio_slurm.power.waiting import pauses
from xio_slurm.slurm.controller import Controller
from xio_slurm.slurm.jobs import jobs_now

log = logging.getLogger("xio_slurm")

_SECONDS: Final = 15.0
"""Slurm requeues a job at once, unless other nodes of it must end first: eleven seconds were seen."""


def tell_jobs(manifest: Manifest, events: Events, controller: Controller, lost: Collection[LostStart]) -> None:
    """Tell Slurm of the jobs that wait again. Those that don't in time are left to Slurm: they wait longer."""
    batch = [start for start in lost if start.job.batch]
    waiting = _waiting_again(manifest, batch)
    random.shuffle(waiting)
    starts = _counted(manifest, waiting)
    for update in job_updates(waiting, starts, manifest.recovery.failed_starts):
        _update(controller, events, update)
        if update.hold:
            for start in waiting:
                if start.job.id in update.jobs:
                    FailedStartsOfJobs(manifest.state_dir).forget(start.job.number)


def _waiting_again(manifest: Manifest, lost: Sequence[LostStart]) -> list[LostStart]:
    """Those that are PENDING; the others are given some seconds to."""
    wanted = {start.job.number for start in lost}
    pending: set[int] = set()
    if not wanted:
        return []
    for _ in pauses(Deadline.after(_SECONDS)):
        try:
            jobs = jobs_now(wanted, manifest.slurm_bin_dir, slurm_conf=None)
        except SlurmError as error:
            log.error("what became of the failed nodes' jobs can't be seen: %s", error)
            break
        pending = {job.number for job in jobs if job.state == "PENDING"}
        ended = wanted - {job.number for job in jobs}
        if pending | ended == wanted:
            break
    return [start for start in lost if start.job.number in pending]


def _counted(manifest: Manifest, lost: Sequence[LostStart]) -> dict[int, FailedStarts]:
    files = FailedStartsOfJobs(manifest.state_dir)
    files.forget_old()
    starts = {}
    for start in lost:
        number = start.job.number
        starts[number] = once_more(files.read(number), start.why.code, time.time())
        try:
            files.write(number, starts[number])
        except LedgerError as error:
            log.error("%s: the failed start of job %s isn't counted", error, start.job.id)
    return starts


def _update(controller: Controller, events: Events, update: JobUpdate) -> None:
    """Held by priority 0 in the same update: Slurm calls it JobHeldAdmin, and no start comes between."""
    comment = (f"AdminComment={update.comment}",) if update.comment is not None else ()
    hold = ("Priority=0",) if update.hold else ()
    start = "now" if update.delay < 1 else f"now+{update.delay:.0f}"
    try:
        controller.update_jobs(update.jobs, f"StartTime={start}", *hold, *comment)
    except SlurmError as error:
        log.warning("jobs %s: %s", listed(update.jobs), error)
        return
    what = "held" if update.hold else f"may begin again in {update.delay:.0f} s"
    log.info("jobs %s: %s: %s", listed(update.jobs), what, update.comment or "")
    for job in update.jobs:
        events.record("held" if update.hold else "moved-up", job=job, comment=update.comment)
