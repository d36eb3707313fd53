"""Slurm through scontrol and through pyslurm."""

from collections.abc import Sequence
from typing import Final

from bench.figures import Asked
from bench.ratio import ratio
from bench.results import Result
from bench.sections.section import Section
from bench.table import seconds, table, times

_TEXT: Final = """\
The two backends (`SlurmBackend`) on a real slurmctld. scontrol is a process for each question; pyslurm has one process
for all, started with the first question, since an import of it can end the process that does it. So pyslurm pays where
questions are many, as in `xio sync`."""
_MISSING: Final = "\n\n**pyslurm wasn't measured**: it isn't installed here, or doesn't fit this Slurm."
_TITLES: Final = ("", "Nodes", "scontrol", "pyslurm", "It against scontrol")


def section(result: Result) -> Section:
    """The section."""
    rows = result.of(Asked)
    through = {(row.backend, row.what, row.nodes): row.seconds for row in rows}
    cells = (_cells(row, through.get(("pyslurm", row.what, row.nodes))) for row in rows if row.backend == "scontrol")
    missing = "" if any(row.backend == "pyslurm" for row in rows) else _MISSING
    return Section("scontrol and pyslurm", f"{_TEXT}{missing}\n\n{table(_TITLES, cells)}", ())


def _cells(row: Asked, pyslurm: float | None) -> Sequence[str]:
    plain = (row.what, f"{row.nodes:,}", seconds(row.seconds))
    return (*plain, "-", "-") if pyslurm is None else (*plain, seconds(pyslurm), times(ratio(pyslurm, row.seconds)))
