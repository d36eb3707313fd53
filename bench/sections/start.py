"""Start-up of the programs."""

from typing import Final

from bench.figures import StartUp
from bench.ratio import Goal, ratio
from bench.results import Result
from bench.sections.section import Section
from bench.table import seconds, table, times

_PROGRAMS: Final = ("xio-resume", "xio-suspend", "xio-resume-fail")

_TEXT: Final = """\
Each program with next to nothing to do, from its start to its end, median of many: the three programs with one node
and an EMS that answers at once, the commands of `xio` with a configuration of one node. Beside them Python itself, and
Python with the one library that every client of an EMS needs.
"""


def section(result: Result) -> Section:
    """The section."""
    rows = result.of(StartUp)
    python, requests = rows[0].seconds, rows[1].seconds
    titles = ("", "Time", "x `python -c pass`", "x `import requests`")
    cells = (
        (f"`{row.program}`", seconds(row.seconds), times(row.seconds / python), times(row.seconds / requests))
        for row in rows
    )
    taken = {row.program: row.seconds for row in rows}
    goals = tuple(
        Goal(f"`{name}` for one node, against `import requests`", ratio(taken[name], requests), 1.3)
        for name in _PROGRAMS
    )
    return Section("Start-up", f"{_TEXT}\n{table(titles, cells)}", goals)
