"""Every decision about a node's VM, apart from carrying it out: no file, no request, no clock in here.

The tables read: what the ledger says, what the EMS has → what to do.
"""

from enum import Enum
from typing import Final

from msgspec import Struct

from xio_slurm.errors import EmsError, EmsRefused, EmsUnreachable, EmsUnreadable
from xio_slurm.ledger import Entry, Run
from xio_slurm.power.situation import Known, Seen, known_of
from xio_slurm.power.table import Table, row

_CLEAR_NO: Final = frozenset({400, 403, 404, 409, 422})
"""Answers to a create that say that nothing was made. Others (408, 429, 5xx) can come from a proxy in between."""

_MAY_COME_LATE: Final = frozenset({102, 408, 504})
"""Answers of one who gave up waiting: the EMS may still be at it."""


class OnResume(Enum):
    """What a resume does about a node's VM. The words are the documentation's."""

    ASK = "ask for a VM"
    ADOPT = "take it"
    REPLACE = "delete it, see it gone, ask for another"
    FOREIGN = "leave it"
    YIELD = "yield"


class OnSuspend(Enum):
    """What a suspend does about it."""

    DELETE = "delete it"
    NOTHING = "nothing"
    FOREIGN = "leave it"
    YIELD = "yield"


class Call(Enum):
    """Whether a program was called for the node after this one."""

    LATEST = "no"
    OVERTAKEN = "yes"


class Turn(Enum):
    """When the VM was asked for: less than ResumeTimeout before this call, or longer ago."""

    THIS = "this one"
    EARLIER = "an earlier one"


class Called(Struct, frozen=True):
    """What there is to know when a program was called for a node."""

    call: Call
    vm: Seen
    known: Known
    turn: Turn


RESUME_TABLE: Final = Table(
    "xio-resume",
    "What a resume does about a node's VM, while it holds the node's lock.",
    (
        row(OnResume.YIELD, "between two calls, the later one is right", call=Call.OVERTAKEN),
        row(OnResume.ASK, "there is none", vm=Seen.NOT_THERE),
        row(OnResume.FOREIGN, "this cluster didn't make it", known=(Known.NEVER, Known.GONE, Known.FOREIGN)),
        row(
            OnResume.REPLACE,
            "it is of a turn that has ended: Slurm waits for a newer boot",
            known=(Known.DELETING, Known.LATE),
        ),
        row(OnResume.REPLACE, "its slurmd has registered long ago: Slurm waits for a newer boot", turn=Turn.EARLIER),
        row(OnResume.ADOPT, "this cluster asked for it a moment ago"),
    ),
)

SUSPEND_TABLE: Final = Table(
    "xio-suspend and xio-resume-fail",
    "What they do about a node's VM, while they hold the node's lock.",
    (
        row(OnSuspend.YIELD, "between two calls, the later one is right", call=Call.OVERTAKEN),
        row(OnSuspend.FOREIGN, "this cluster didn't make it", known=Known.FOREIGN),
        row(OnSuspend.NOTHING, "there is none of ours", known=Known.GONE),
        row(
            OnSuspend.DELETE,
            "Slurm's word is enough: it can have a VM from before us, which nobody else would ever delete",
            known=Known.NEVER,
        ),
        row(OnSuspend.DELETE, "Slurm has done with the node"),
    ),
)


def on_resume(entry: Entry | None, *, exists: bool, run: Run, now: float, resume_timeout: float) -> OnResume:
    """``exists``: whether the EMS has a VM of the node's name. ``now`` in seconds since 1970."""
    earlier = entry is not None and run.called - entry.asked > resume_timeout
    seen = Seen.THERE if exists else Seen.NOT_THERE
    turn = Turn.EARLIER if earlier else Turn.THIS
    return RESUME_TABLE.decide(Called(_call(entry, run, now), seen, known_of(entry), turn)).action


def on_suspend(entry: Entry | None, *, run: Run, now: float) -> OnSuspend:
    """What a suspend does, whatever the EMS has. ``now`` in seconds since 1970."""
    return SUSPEND_TABLE.decide(Called(_call(entry, run, now), Seen.UNKNOWN, known_of(entry), Turn.THIS)).action


def made_nothing(error: EmsError) -> bool:
    """Whether a create that ended with this error made no VM for certain: it was never sent, or clearly refused."""
    if isinstance(error, EmsUnreachable):
        return not error.sent
    return isinstance(error, EmsRefused) and error.status in _CLEAR_NO


def may_come_late(error: EmsError) -> bool:
    """Whether a create that ended with this error may still be carried out: then nobody asks again soon."""
    if isinstance(error, EmsRefused):
        return error.status in _MAY_COME_LATE
    return isinstance(error, EmsUnreadable) or (isinstance(error, EmsUnreachable) and error.sent)


def is_ours_after(error: EmsError, before: Entry | None) -> bool:
    """Whether a VM is ours that wasn't there before, was asked for with this error, and exists now.

    If the ask made nothing, another made it in between; unless an earlier request of ours may have come late.
    """
    return not made_nothing(error) or (before is not None and before.unanswered)


def _call(entry: Entry | None, run: Run, now: float) -> Call:
    if entry is None or entry.run.id == run.id:
        return Call.LATEST
    # Not from the future: a clock that was set back would have everybody yield to a call of long ago.
    return Call.OVERTAKEN if run.called < entry.run.called <= now else Call.LATEST
