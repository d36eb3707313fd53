"""The whole story: the cause, what to do, what happened, and what couldn't be seen. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from xio_slurm.desk.looks import Unseen
from xio_slurm.desk.story.conclusion import Conclusion
from xio_slurm.desk.story.job_cause import job_cause
from xio_slurm.desk.story.node_cause import node_cause
from xio_slurm.desk.story.pool_cause import pool_cause
from xio_slurm.desk.story.seen import Seen
from xio_slurm.desk.story.timeline import Moment, timeline

_NAMES: Final = {
    "nodes": "Slurm's nodes",
    "jobs": "Slurm's jobs",
    "breakers": "which pools are closed",
    "heartbeat": "whether xio sync is at work",
    "former": "which nodes the ledger knows",
    "proposals": "what xio sync would do",
}


@dataclass(frozen=True, slots=True)
class Story:
    """``unseen``: what couldn't be looked at, a line each."""

    conclusion: Conclusion
    moments: tuple[Moment, ...]
    unseen: tuple[str, ...]


def story(seen: Seen) -> Story:
    """Tell it."""
    match seen.subject.kind:
        case "node":
            conclusion = node_cause(seen.subject.name, seen)
        case "job":
            conclusion = job_cause(seen)
        case "pool":
            conclusion = pool_cause(seen)
    return Story(conclusion, timeline(seen), tuple(_unseen(seen)))


def _unseen(seen: Seen) -> Iterator[str]:
    for name, words in _NAMES.items():
        look = getattr(seen, name)
        if isinstance(look, Unseen):
            yield f"{words} couldn't be seen: {look.why}"
    for node, near in seen.near.items():
        for what, each in (("ledger's entry", near.entry), ("VM", near.vm)):
            if isinstance(each, Unseen):
                yield f"the {what} of {node} couldn't be seen: {each.why}"
    if seen.events_problem:
        yield f"not all events could be read: {seen.events_problem}"
