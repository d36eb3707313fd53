"""What there is to know of a node when ``xio sync`` looks: a few words from each of the three truths.

Slurm says whether the node should have a VM, the EMS whether it has one, the ledger whether that one is ours. Each word
is one of a few, so that every combination can be tried.
"""

from enum import Enum
from typing import Final

from msgspec import Struct

from xio_slurm.ledger import Entry
from xio_slurm.slurm.states import NodeState


class Power(Enum):
    """What Slurm wants of a node, by its power flags."""

    OFF = "powered down"
    CHOSEN = "about to be powered up"
    POWERING_UP = "powering up"
    ON = "on"
    POWERING_DOWN = "powering down"
    ABSENT = "not in Slurm"


class Seen(Enum):
    """Whether the EMS has a VM of the node's name."""

    THERE = "there"
    NOT_THERE = "not there"
    UNKNOWN = "unknown"


class Known(Enum):
    """What the ledger says of the node's VM."""

    NEVER = "no entry"
    ASKING = "asking"
    OURS = "ours"
    DELETING = "deleting"
    GONE = "gone"
    LATE = "gone, may come late"
    FOREIGN = "foreign"
    DAMAGED = "unreadable"


class Age(Enum):
    """For how long it has been so: since the VM was asked for, or since its delete was."""

    FRESH = "fresh"
    GROWN = "grown"
    OVERDUE = "overdue"


class Held(Enum):
    """Who has taken the node out of use (DOWN, DRAIN, FAIL)."""

    NOBODY = "nobody"
    XIO = "xio"
    TIMEOUT = "ResumeTimeout"
    REGISTRATION = "its registration"
    SLURM = "not responding"
    ADMINISTRATOR = "administrator"


class Gate(Enum):
    """Whether the node's pool takes jobs."""

    OPEN = "open"
    HALF_OPEN = "half-open"
    CLOSED = "closed"


class Reserved(Enum):
    """Whether the node is in a reservation that is active."""

    NO = "no"
    YES = "yes"


class Answering(Enum):
    """Whether slurmd answers, as far as Slurm knows."""

    YES = "yes"
    NO = "no"


class Situation(Struct, frozen=True):
    """One node, seen from all sides."""

    power: Power
    vm: Seen
    known: Known
    age: Age
    held: Held
    gate: Gate
    reserved: Reserved
    answering: Answering


OUR_REASON: Final = "xio:"
"""What every reason of ours begins with; others' are never cleared."""

_TIMEOUT_REASON: Final = "ResumeTimeout reached"
_SILENCE_REASONS: Final = ("Not responding", "Node unexpectedly rebooted")
_REGISTRATION_REASONS: Final = (
    "Low ", "gres/", "Could not unpack gres", "CoreSpec differ", "Reported active features", "RestrictedCoresPerGPU",
)  # fmt: skip
"""slurmctld's own reasons, read from node_mgr.c, power_save.c and ping_nodes.c of 22.05 to 26.05."""

_MAINTENANCE: Final = {"MAINTENANCE", "MAINT", "REBOOT_REQUESTED", "REBOOT_ISSUED", "REBOOT"}
_OUT_OF_USE: Final = {"DRAIN", "FAIL", "INVALID_REG"}


def power_of(state: NodeState | None) -> Power:
    """What Slurm wants of the node.

    A powered-down node that a job was given is about to be powered up, at the pace of ResumeRate. A VM that is made
    before would be of no use: Slurm waits for a boot that is newer than its own call.
    """
    if state is None:
        return Power.ABSENT
    flags = state.flags
    if flags & {"POWERING_DOWN", "POWER_DOWN"}:
        return Power.POWERING_DOWN
    if "POWERING_UP" in flags:
        return Power.POWERING_UP
    if "POWER_UP" in flags:
        return Power.CHOSEN
    if "POWERED_DOWN" in flags:
        return Power.CHOSEN if state.base in {"ALLOCATED", "MIXED"} else Power.OFF
    return Power.ON


def held_by(state: NodeState | None) -> Held:
    """Who took the node out of use, by its state and reason. Maintenance and a reboot are an administrator's."""
    if state is None:
        return Held.NOBODY
    if state.flags & _MAINTENANCE:
        return Held.ADMINISTRATOR
    if state.base != "DOWN" and not state.flags & _OUT_OF_USE:
        return Held.NOBODY
    return _holder(state.reason, invalid="INVALID_REG" in state.flags)


def reserved_of(state: NodeState | None) -> Reserved:
    """By Slurm's flag."""
    return Reserved.YES if state is not None and "RESERVED" in state.flags else Reserved.NO


def _holder(reason: str, *, invalid: bool) -> Held:
    if reason.startswith(_REGISTRATION_REASONS) or (invalid and not reason):
        return Held.REGISTRATION
    holders = ((OUR_REASON, Held.XIO), (_TIMEOUT_REASON, Held.TIMEOUT), (_SILENCE_REASONS, Held.SLURM))
    return next((held for start, held in holders if reason.startswith(start)), Held.ADMINISTRATOR)


def known_of(entry: Entry | None) -> Known:
    """The ledger's word."""
    if entry is None:
        return Known.NEVER
    if entry.phase == "gone":
        return Known.LATE if entry.unanswered else Known.GONE
    return Known[entry.phase.upper()]


def began(entry: Entry) -> float:
    """When the VM was asked for, or its delete, in seconds since 1970."""
    return entry.run.called if entry.phase == "deleting" else entry.asked


def age_of(entry: Entry | None, now: float, *, grace: float, boot_timeout: float) -> Age:
    """How long ago the VM was asked for, or its delete. ``now`` in seconds since 1970.

    A time in the future is a clock that was set back: nothing is old then. What the ledger doesn't tell is grown: two
    looks, apart in time, stand for it. A delete is never overdue: it is of an earlier turn, and says nothing about how
    long Slurm has waited in this one.
    """
    if entry is None or entry.phase in {"gone", "foreign"}:
        return Age.GROWN
    age = now - began(entry)
    if age < grace:
        return Age.FRESH
    return Age.OVERDUE if age >= boot_timeout and entry.phase != "deleting" else Age.GROWN
