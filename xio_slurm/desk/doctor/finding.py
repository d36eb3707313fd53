"""What is wrong, in one line, with what mends it; and which of it comes first."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How bad: jobs can't run or VMs get lost; they will, or some of it; worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Area(Enum):
    """What it is about, in the order of importance: what stops everything, what stops a pool, what will hurt."""

    MANIFEST = "manifest"
    SLURM = "slurmctld"
    SLURM_CONF = "slurm.conf"
    PROGRAMS = "programs"
    NODES = "nodes"
    STATE = "state folder"
    CERTIFICATES = "certificates"
    EMS = "EMS"
    DOCUMENTS = "EMS documents"
    MEMORY = "memory"
    BOOTS = "boots"
    POOLS = "pools"
    SYNC = "sync"
    VMS = "VMs"
    CLOCK = "clock"
    LOG = "log folder"
    TIMES = "timeouts"
    VERSION = "Slurm's version"
    CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that isn't as it must be. ``what``: what is wrong, where, in one line; ``mend``: a command or step."""

    severity: Severity
    area: Area
    what: str
    mend: str


def error(area: Area, what: str, mend: str) -> Finding:
    """A finding that stops jobs, or loses VMs."""
    return Finding(Severity.ERROR, area, what, mend)


def warning(area: Area, what: str, mend: str) -> Finding:
    """A finding with which jobs run."""
    return Finding(Severity.WARNING, area, what, mend)


def note(area: Area, what: str, mend: str) -> Finding:
    """A finding that can be meant so."""
    return Finding(Severity.NOTE, area, what, mend)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The most important first: what stops jobs, by area; findings of one area stay as they were found."""
    severities, areas = [*Severity], [*Area]
    return tuple(sorted(findings, key=lambda each: (severities.index(each.severity), areas.index(each.area))))
