"""slurmctld's own load."""

from collections.abc import Sequence
from typing import Final

from bench.figures import Load
from bench.ratio import Goal, ratio
from bench.results import Result
from bench.sections.section import Section
from bench.table import table

_TEXT: Final = """\
What a resume costs slurmctld, by its own account (`sdiag`): remote procedure calls and the time it spent on them. A
resume that the EMS **grants** needs nothing of slurmctld (each VM tells its address itself, which isn't counted here);
of one that it **refuses** slurmctld is told at once: the nodes are looked up, set DOWN and POWER_DOWN. Beside it a
program that calls scontrol once for each node, as ResumeProgram scripts do that tell Slurm addresses. The last column
is the time against the loop's for as many nodes."""
_LOOP: Final = "scontrol for each node"
_REFUSED: Final = "xio-resume, refused"


def section(result: Result) -> Section:
    """The section."""
    rows = result.of(Load)
    totals = [row for row in rows if not row.kind]
    of_loop = next(row for row in totals if row.who == _LOOP)
    each = of_loop.seconds / of_loop.nodes
    cells = sorted(
        (
            (
                row.who,
                f"{row.nodes:,}",
                f"{row.count:,}",
                _kinds(row, rows),
                f"{row.seconds * 1000:.1f} ms",
                _share(row, each),
            )
            for row in totals
        ),
        key=lambda cells: cells[0],
    )
    titles = ("", "Nodes", "Calls", "of them", "slurmctld's time", "Against the loop")
    return Section("slurmctld's load", f"{_TEXT}\n\n{table(titles, cells)}", _goals(totals))


def _kinds(total: Load, rows: Sequence[Load]) -> str:
    of_total = [row for row in rows if (row.who, row.nodes) == (total.who, total.nodes) and row.kind]
    return ", ".join(f"{row.count:,} {row.kind.removeprefix('REQUEST_')}" for row in of_total) or "-"


def _share(row: Load, each: float) -> str:
    share = ratio(row.seconds, each * row.nodes)
    return "-" if share is None else f"{share:.1%}"


def _goals(totals: Sequence[Load]) -> tuple[Goal, ...]:
    calls = {row.nodes: row.count for row in totals if row.who == _REFUSED}
    return (
        Goal("slurmctld's calls for 500 refused nodes, against one node", _against(calls, 500, 1), 1),
        Goal("slurmctld's calls for 1,000 refused nodes, against 500", _against(calls, 1_000, 500), 2),
    )


def _against(calls: dict[int, int], nodes: int, base: int) -> float | None:
    return ratio(calls[nodes], calls[base]) if nodes in calls and base in calls else None
