"""Every decision of the programs, apart from carrying it out: no file, no request, no clock in here.

The tables read: what the ledger says, what the EMS has → what to do.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from xio_slurm.ledger import Entry, Run
from xio_slurm.power.outcome import Failed
from xio_slurm.slurm.states import NodeState

MAX_REASONS: Final = 4
"""Different reasons told to Slurm in one call, so that its cost doesn't grow with the nodes."""

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
    FOREIGN = "leave the VM that is there: this cluster didn't make it"
    YIELD = "do nothing: a program that was called later has seen to the node"


def on_resume(entry: Entry | None, *, exists: bool, run: Run, resume_timeout: float) -> OnResume:
    """``exists``: whether the EMS has a VM of the node's name. ``resume_timeout`` in seconds.

    A VM of ours that is older than ResumeTimeout belongs to an earlier turn of the node. Its slurmd has registered
    long ago, and Slurm waits for a newer boot: it must be made anew.
    """
    if entry is not None and _later(entry, run):
        return OnResume.YIELD
    if not exists:
        return OnResume.ASK
    if entry is None or entry.phase == "foreign":
        return OnResume.FOREIGN
    if entry.phase == "deleting" or run.called - entry.asked > resume_timeout:
        return OnResume.REPLACE
    return OnResume.ADOPT


def on_suspend(entry: Entry | None, *, run: Run) -> OnSuspend:
    """Slurm's word is enough to delete a VM, unless the ledger says that it is another's."""
    if entry is None:
        return OnSuspend.DELETE
    if _later(entry, run):
        return OnSuspend.YIELD
    return OnSuspend.FOREIGN if entry.phase == "foreign" else OnSuspend.DELETE


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


def _later(entry: Entry, run: Run) -> bool:
    return entry.run.id != run.id and entry.run.called > run.called
