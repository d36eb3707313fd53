"""The releases of Slurm that are provided for: how each is known, and what of it matters here. Pure.

The README's table is ``versions_table()``; ``xio doctor`` tells the bugs, and a release that isn't here.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from xio_slurm.markdown import table
from xio_slurm.slurm.version import Version


class Known(Enum):
    """How it is known that a release is provided for."""

    TESTS = "every test"
    SLURM_TESTS = "`bin/test --slurm {series}`"
    SOURCE = "its source"


@dataclass(frozen=True, slots=True)
class Bug:
    """A bug of power saving that no program can work around. ``fixed``: the release of its series without it."""

    fixed: Version
    what: str


@dataclass(frozen=True, slots=True)
class Release:
    """A series of releases, as 22.05. ``minded``: what differs from the others, and what is done about it."""

    year: int
    month: int
    known: Known
    minded: str
    bugs: tuple[Bug, ...] = ()

    @property
    def series(self) -> str:
        """Its name."""
        return f"{self.year:02}.{self.month:02}"

    def bugs_of(self, version: Version) -> tuple[Bug, ...]:
        """Those that a version of this series still has."""
        return tuple(bug for bug in self.bugs if version < bug.fixed)


_DEAD_POWER_SAVING: Final = "after a reconfigure that failed no node is resumed or suspended any more"
_HEAVY_NODES: Final = "jobs are given to powered-down nodes of higher weight"

SUPPORTED: Final = (
    Release(
        21, 8, Known.SOURCE, "the oldest that takes SuspendTime and its timeouts at a partition",
        (Bug(Version(21, 8, 7), "nodes register while they power down, and stay drained after ResumeTimeout"),),
    ),
    Release(
        22, 5, Known.TESTS, "up to here powered-down nodes are seen with `PrivateData=cloud` alone",
        (Bug(Version(22, 5, 6), "a node that is powered down by force can stay COMPLETING"),),
    ),
    Release(
        23, 2, Known.SOURCE, "a resume file in new words; slurmctld ends programs at their timeout",
        (Bug(
            Version(23, 2, 5), "nodes stay out of use after ResumeTimeout; a reconfigure makes booting ones FUTURE"
        ),),
    ),
    Release(
        23, 11, Known.SOURCE, "nodes bring their address; a reconfigure that fails leaves slurmctld running",
        (
            Bug(Version(23, 11, 2), "a node's reason is lost when it powers up"),
            Bug(Version(23, 11, 4), "a second POWER_DOWN has powered-down nodes pinged, and set DOWN"),
            Bug(Version(23, 11, 9), _DEAD_POWER_SAVING),
        ),
    ),
    Release(
        24, 5, Known.SOURCE, "up to here slurmctld is stopped before nodes are added or removed",
        (Bug(Version(24, 5, 1), _DEAD_POWER_SAVING), Bug(Version(24, 5, 7), _HEAVY_NODES)),
    ),
    Release(
        24, 11, Known.SLURM_TESTS, "a reconfigure adds and removes nodes",
        (Bug(Version(24, 11, 4), _HEAVY_NODES),),
    ),
    Release(
        25, 5, Known.SOURCE, "what `scontrol` tells of a node has more behind the reason",
        (Bug(Version(25, 5, 4), "slurmctld's end waits for running power programs"),),
    ),
    Release(25, 11, Known.SOURCE, "pyslurm can be had"),
    Release(26, 5, Known.SLURM_TESTS, "a resume file tells jobs' priorities"),
)  # fmt: skip
"""The oldest first."""


def release_of(version: Version) -> Release | None:
    """The series of a version; None for one that isn't provided for."""
    return next((each for each in SUPPORTED if (each.year, each.month) == version[:2]), None)


def versions_table() -> str:
    """The README's, in Markdown."""
    rows = (
        (each.series, _at_least(each), each.known.value.format(series=each.series), each.minded) for each in SUPPORTED
    )
    return table(("Slurm", "better at least", "known by", "what is minded"), rows)


def _at_least(release: Release) -> str:
    return str(max(bug.fixed for bug in release.bugs)) if release.bugs else ""
