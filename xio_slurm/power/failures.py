"""Kinds of failed starts, and what follows from each: for the request, the node, the job and the pool.

The one place where an error of the EMS gets its meaning. How an EMS says that it has no capacity isn't evidenced, so
both the status and the words are looked at.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final

from msgspec import Struct

from xio_slurm.errors import CertificateError, EmsError, EmsRefused, EmsUnreachable, EmsUnreadable


class Kind(Enum):
    """What a failed request for a VM means."""

    TRANSIENT = "transient"
    CAPACITY = "capacity"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


_CAPACITY: Final = re.compile(
    r"capacity|insufficient|out of stock|no (free|more|available) |not enough|unavailable in|(limit|count) ?exceeded"
    r"|quota",
    re.IGNORECASE,
)
_THROTTLED: Final = re.compile(r"(rate|request) ?limit|throttl|too many requests", re.IGNORECASE)
_A_PAGE: Final = re.compile(r"an HTML page|<html|<!doctype", re.IGNORECASE)
_ASKED_WRONG: Final = frozenset({401, 403, 404})
"""Whatever the words: a name can hold "capacity", and permissions can be insufficient."""

_PASSES: Final = frozenset({102, 408, 425, 429, 500, 502, 504})


def kind_of(error: EmsError) -> Kind:
    """What an error means. A 503 of the EMS's own is no capacity; one of a proxy, which shows a page, passes."""
    match error:
        case CertificateError():
            return Kind.UNREACHABLE
        case EmsUnreachable():
            return Kind.UNREACHABLE
        case EmsUnreadable():
            return Kind.TRANSIENT
        case EmsRefused():
            return _of_status(error.status, str(error))
    return Kind.UNKNOWN


def _of_status(status: int, text: str) -> Kind:
    if status == 503:
        return Kind.TRANSIENT if _A_PAGE.search(text) else Kind.CAPACITY
    if status in _ASKED_WRONG:
        return Kind.REJECTED
    if status in _PASSES or status >= 400:
        if _CAPACITY.search(text) and not _THROTTLED.search(text):
            return Kind.CAPACITY
        if status in _PASSES or _THROTTLED.search(text):
            return Kind.TRANSIENT
    return Kind.REJECTED if 400 <= status < 500 else Kind.UNKNOWN


class Node(Enum):
    """What Slurm is told of the failed node."""

    OUT = "DOWN, then POWER_DOWN"
    FREE = "POWER_DOWN_FORCE"


class Scope(Enum):
    """Which pools close."""

    NONE = "none"
    POOL = "the pool"
    ALL = "all of them"


class Treatment(Struct, frozen=True):
    """What follows from failures of one code.

    ``counts``: whether it is one of the failed starts after which a job is held. ``delay``: after how many seconds at
    least the job may begin again; Slurm itself would have it wait 121.
    """

    node: Node
    closes: Scope
    counts: bool
    delay: float
    why: str


TREATMENTS: Final[Mapping[str, Treatment]] = {
    "capacity": Treatment(Node.OUT, Scope.POOL, True, 0, "another pool may have what this one hasn't"),
    "rejected": Treatment(Node.OUT, Scope.POOL, True, 0, "an administrator must act: image, profile or pool is wrong"),
    "unreachable": Treatment(Node.FREE, Scope.ALL, False, 15, "no pool can make VMs: jobs wait for the EMS"),
    "ems": Treatment(Node.FREE, Scope.NONE, True, 15, "it was tried again and again; it may pass"),
    "foreign": Treatment(Node.OUT, Scope.NONE, True, 0, "the name is taken: this node can't come up, others can"),
    "ledger": Treatment(Node.FREE, Scope.NONE, False, 30, "our own state folder fails: no VM is made that we'd forget"),
    "closed": Treatment(Node.OUT, Scope.NONE, False, 0, "the pool was closed already"),
    "surplus": Treatment(Node.OUT, Scope.NONE, False, 0, "its job can't start, since another of its nodes failed"),
    "boot": Treatment(Node.OUT, Scope.POOL, True, 0, "the VM came and the node didn't: counted, closes after many"),
    "unowned": Treatment(Node.OUT, Scope.NONE, True, 0, "no pool and no delegated program has the node"),
    "delegate": Treatment(Node.OUT, Scope.NONE, False, 0, "the delegated program couldn't be started"),
    "bug": Treatment(Node.FREE, Scope.NONE, True, 30, "our own mistake: a report is written"),
}
"""By the code with which a reason in Slurm begins (``xio:<code>``)."""
