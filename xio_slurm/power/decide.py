"""Every decision of the programs, apart from carrying it out: no file, no request, no clock in here.

The tables read: what the ledger says, what the EMS has → what to do.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from xio_slurm.errors import EmsError, EmsRefused, EmsUnreachable
from xio_slurm.ledger import Entry, Run
from xio_slurm.power.outcome import Failed
from xio_slurm.slurm.states import NodeState

MAX_REASONS: Final = 4
"""Different reasons told to Slurm in one call, so that its cost doesn't grow with the nodes."""

_CLEAR_NO: Final = frozenset({400, 403, 404, 409, 422})
"""Answers to a create that say that nothing was made. Others (408, 429, 5xx) can come from a proxy in between."""

_REASON_LENGTH: Final = 200


class OnResume(Enum):
    """What a resume does about a node."""

    ASK = "ask the EMS for the VM"
    ADOPT = "take the VM that is there: this cluster asked for it a moment ago"
    REPLACE = "delete the VM that is there, see it gone, and ask for a new one"
    FOREIGN = "leave the VM that is there: this cluster didn't make it"
    YIELD = "do nothing: a program that was called later has seen to the node"


class OnSuspend(Enum):
    """What a suspend does about a node."""

    DELETE = "delete the VM"
    NOTHING = "do nothing: the node has no VM of this cluster's"
    FOREIGN = "leave the VM that is there: this cluster didn't make it"
    YIELD = "do nothing: a program that was called later has seen to the node"


def on_resume(entry: Entry | None, *, exists: bool, run: Run, now: float, resume_timeout: float) -> OnResume:
    """``exists``: whether the EMS has a VM of the node's name. ``now`` in seconds since 1970.

    A VM of ours that is older than ``resume_timeout`` seconds belongs to an earlier turn of the node. Its slurmd has
    registered long ago, and Slurm waits for a newer boot: it must be made anew.
    """
    if entry is not None and _later(entry, run, now):
        return OnResume.YIELD
    if not exists:
        return OnResume.ASK
    if entry is None or entry.phase == "foreign":
        return OnResume.FOREIGN
    if entry.phase == "gone":
        return OnResume.REPLACE if entry.unanswered else OnResume.FOREIGN
    if entry.phase == "deleting" or run.called - entry.asked > resume_timeout:
        return OnResume.REPLACE
    return OnResume.ADOPT


def on_suspend(entry: Entry | None, *, run: Run, now: float) -> OnSuspend:
    """Slurm's word is enough to delete a VM, unless the ledger says that it is another's or that there is none of ours.

    A node that the ledger has never seen can have a VM from before us, which nobody else would ever delete.
    """
    if entry is None:
        return OnSuspend.DELETE
    if _later(entry, run, now):
        return OnSuspend.YIELD
    if entry.phase == "foreign":
        return OnSuspend.FOREIGN
    return OnSuspend.NOTHING if entry.phase == "gone" and not entry.unanswered else OnSuspend.DELETE


def made_nothing(error: EmsError) -> bool:
    """Whether a create that ended with this error made no VM for certain: it was never sent, or clearly refused."""
    if isinstance(error, EmsUnreachable):
        return not error.sent
    return isinstance(error, EmsRefused) and error.status in _CLEAR_NO


def is_ours_after(error: EmsError, before: Entry | None) -> bool:
    """Whether a VM is ours that wasn't there before, was asked for with this error, and exists now.

    If the ask made nothing, another made it in between; unless an earlier request of ours may have come late.
    """
    return not made_nothing(error) or (before is not None and before.unanswered)


@dataclass(frozen=True, slots=True)
class Update:
    """One change of nodes in Slurm."""

    nodes: tuple[str, ...]
    state: str
    reason: str | None


def updates_after_resume(failures: Iterable[Failed], states: Mapping[str, NodeState]) -> tuple[Update, ...]:
    """What Slurm is told: the failed nodes go DOWN, with the reason, and then POWER_DOWN.

    DOWN requeues the job now instead of at ResumeTimeout. POWER_DOWN alone would free nothing on a node that powers
    up, and DOWN alone would leave the node powering up until then. A node that isn't powering up any more was seen to
    by someone else, and is left as it is.
    """
    failed = [failure for failure in failures if failure.node in states and states[failure.node].powering_up]
    if not failed:
        return ()
    by_reason = _grouped(failed, reason)
    if len(by_reason) > MAX_REASONS:
        by_reason = _grouped(failed, lambda failure: f"xio:{failure.code} several failures: see the log of xio-resume")
    down = (Update(nodes, "DOWN", text) for text, nodes in by_reason.items())
    return (*down, Update(tuple(failure.node for failure in failed), "POWER_DOWN", None))


def reason(failed: Failed) -> str:
    """A node's reason: code first, one line, without what Slurm or its readers stumble over (quotes, ``=``)."""
    text = "".join(char if char.isprintable() and char not in "\"'=\\" else " " for char in failed.text)
    return f"xio:{failed.code} {' '.join(text.split())}"[:_REASON_LENGTH]


def _grouped(failed: Iterable[Failed], key: Callable[[Failed], str]) -> Mapping[str, tuple[str, ...]]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for failure in failed:
        groups[key(failure)].append(failure.node)
    return {text: tuple(nodes) for text, nodes in groups.items()}


def _later(entry: Entry, run: Run, now: float) -> bool:
    # Not from the future: a clock that was set back would have everybody yield to a call of long ago.
    return entry.run.id != run.id and run.called < entry.run.called <= now
