"""Slurm through scontrol and through pyslurm."""

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
    cells = []
    for row in rows:
        if row.backend == "scontrol":
            other = through.get(("pyslurm", row.what, row.nodes))
            against = ratio(other, row.seconds) if other is not None else None
            told = "-" if other is None else seconds(other)
            cells.append((row.what, f"{row.nodes:,}", seconds(row.seconds), told, times(against)))
    missing = "" if any(row.backend == "pyslurm" for row in rows) else _MISSING
    return Section("scontrol and pyslurm", f"{_TEXT}{missing}\n\n{table(_TITLES, cells)}", ())
