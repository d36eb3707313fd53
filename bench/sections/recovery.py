"""How soon what failed is made good."""

import statistics
from typing import Final

from bench.figures import Recovered
from bench.ratio import Goal
from bench.results import Result
from bench.sections.section import Section
from bench.table import seconds, table, times

_TEXT: Final = """\
On a lab with `xio sync` and its short times: the EMS has no capacity for a pool, and a job's node is in it; or a VM is
there that nobody wants. Slurm by itself has a refused job wait until ResumeTimeout (600 s, as is usual with XIO),
and an orphan runs, and costs, until somebody sees it. The goal of an orphan is the grace time (3 s here) and one
interval of sync (1 s). Medians, and the longest."""


def section(result: Result) -> Section:
    """The section."""
    rows = result.of(Recovered)
    cells = []
    goals = []
    for what in dict.fromkeys(row.what for row in rows):
        of_what = [row for row in rows if row.what == what]
        taken = [row.seconds for row in of_what]
        middle, without = statistics.median(taken), of_what[0].without
        sooner = times(without / middle) if without else "-"
        cells.append((what, seconds(middle), seconds(max(taken)), seconds(without) if without else "never", sooner))
        goals.append(Goal(f"On a lab: {what}", middle, of_what[0].goal, "s"))
    titles = ("", "Median", "Longest", "Slurm alone", "So many times sooner")
    return Section("What fails is made good", f"{_TEXT}\n\n{table(titles, cells)}", tuple(goals))
