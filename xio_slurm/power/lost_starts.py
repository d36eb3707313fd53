"""The jobs whose nodes can't come up: which they are, which nodes they leave, and what becomes of them. Pure.

A job needs all of its nodes, so when one fails, the others boot for nobody: they are given back with it. The job's next
start is moved up, since Slurm would have it wait two minutes; after too many failed starts it is held.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from xio_slurm.manifest import Manifest
from xio_slurm.plain_text import shortened
from xio_slurm.power.failed_starts import FailedStarts
from xio_slurm.power.failures import TREATMENTS
from xio_slurm.power.node_updates import MAX_REASONS
from xio_slurm.power.outcome import Failed
from xio_slurm.power.situation import OUR_REASON
from xio_slurm.slurm.jobs import Job
from xio_slurm.slurm.states import NodeState

_DELAYS: Final = (0.0, 5.0, 15.0, 45.0, 120.0)
"""Seconds until a job may begin again, by how often in a row it has failed to."""

_IN_A_ROW: Final = 900.0
"""Seconds after which a failed start isn't in a row with the one before."""

_GROUPS: Final = 5
_A_GROUP: Final = 20
"""Jobs of one group at least: few jobs all begin at once."""

_WORDS: Final = 160


@dataclass(frozen=True, slots=True)
class LostStart:
    """A job that can't start, and the failure of one of its nodes that tells why."""

    job: Job
    why: Failed


@dataclass(frozen=True, slots=True)
class JobUpdate:
    """One change of jobs. ``delay`` in seconds from now; ``comment`` None: as it is. Held ones don't begin at all."""

    jobs: tuple[str, ...]
    delay: float
    comment: str | None
    hold: bool


def lost_starts(failures: Iterable[Failed], jobs: Iterable[Job]) -> tuple[LostStart, ...]:
    """The jobs that hold a failed node. Of several failures the one counts that is the gravest for the job."""
    by_node = {failure.node: failure for failure in failures}
    lost = []
    for job in jobs:
        failed = [by_node[node] for node in job.nodes if node in by_node]
        if failed:
            lost.append(LostStart(job, max(failed, key=_gravity)))
    return tuple(lost)


def surplus(
    lost: Collection[LostStart], jobs: Iterable[Job], states: Mapping[str, NodeState], manifest: Manifest
) -> tuple[Failed, ...]:
    """The nodes of ours that boot for those jobs alone, and haven't failed themselves: they are given back.

    ``jobs`` are all that hold any of the nodes: one of another job's is never touched.
    """
    ids = {start.job.id for start in lost}
    held_by_others = {node for job in jobs if job.id not in ids for node in job.nodes}
    found: dict[str, Failed] = {}
    for start in lost:
        why = f"its job {start.job.id} can not start: xio:{start.why.code} {start.why.text}"
        for node in start.job.nodes:
            booting = node in states and states[node].powering_up
            if booting and node not in held_by_others and manifest.pool_of(node) is not None:
                found.setdefault(node, Failed(node, "surplus", why))
    return tuple(found.values())


def once_more(starts: FailedStarts, code: str, now: float) -> FailedStarts:
    """A job's failed starts with one more of them."""
    in_a_row = starts.in_a_row + 1 if abs(now - starts.last) < _IN_A_ROW else 1
    return FailedStarts(starts.counted + TREATMENTS[code].counts, in_a_row, now)


def job_updates(lost: Sequence[LostStart], starts: Mapping[int, FailedStarts], most: int) -> tuple[JobUpdate, ...]:
    """What Slurm is told of the jobs that wait again.

    ``starts`` are their failed starts with this one, by their numbers. ``most``: at so many a job is held, 0: never.
    Many jobs go, in the order of ``lost``, into groups that begin a second apart: a random order spreads them.
    """
    words = _words(lost)
    held = [start for start in lost if most and starts[start.job.number].counted >= most]
    waiting = [start for start in lost if start not in held]
    groups = min(_GROUPS, 1 + len(waiting) // _A_GROUP)
    alike: defaultdict[tuple[bool, float, str | None], list[str]] = defaultdict(list)
    for start in held:
        release = start.job.id if len(held) <= _A_GROUP else "JOB"
        comment = f"held after {most} failed starts: {words[start.job.id]}; 'scontrol release {release}' tries again"
        alike[True, 0.0, _comment(start, comment)].append(start.job.id)
    for place, start in enumerate(waiting):
        failed = starts[start.job.number]
        delay = max(TREATMENTS[start.why.code].delay, _DELAYS[min(failed.in_a_row, len(_DELAYS)) - 1])
        counted = f"failed start {failed.counted} of {most}: " if most and TREATMENTS[start.why.code].counts else ""
        alike[False, delay + place % groups, _comment(start, f"{counted}{words[start.job.id]}")].append(start.job.id)
    return tuple(JobUpdate(tuple(ids), delay, comment, hold) for (hold, delay, comment), ids in alike.items())


def sentence(start: LostStart) -> str:
    """What the owner of an interactive job reads on the terminal."""
    return f"xio:{start.why.code} a node of this job can't come up: {shortened(start.why.text, _WORDS)}"


def _words(lost: Collection[LostStart]) -> Mapping[str, str]:
    """Each job's failure in words; where they are too many, all the same."""
    texts = {start.job.id: shortened(start.why.text, _WORDS) for start in lost}
    if len(set(texts.values())) <= MAX_REASONS:
        return texts
    return dict.fromkeys(texts, "several failures: see the log")


def _comment(start: LostStart, words: str) -> str | None:
    """The job's new AdminComment; None where it bears another's."""
    return f"{OUR_REASON} {start.why.code} {words}" if start.job.comment in {"", OUR_REASON} else None


def _gravity(failure: Failed) -> tuple[bool, float]:
    treatment = TREATMENTS[failure.code]
    return treatment.counts, treatment.delay
