"""End to end on a real Slurm."""

import statistics
from collections.abc import Sequence
from typing import Final

from bench.figures import JobStart
from bench.ratio import Goal
from bench.results import Result
from bench.sections.section import Section
from bench.table import seconds, table

_TEXT: Final = """\
`srun` of a job for a node that is powered down, on a lab whose VMs boot at once, {count} times, each on a node of its
own. The **floor** is what Slurm takes itself: its ResumeProgram writes the node's name into a pipe, and a shell that
waits there starts slurmd. Between the two are our program, the EMS, and the VM's user data, which tells Slurm its
address and starts slurmd.

slurmctld takes its time until it starts the ResumeProgram, and srun asks it again and again, with growing pauses,
whether the node is up: so the time since `srun` goes in steps, for both alike. The time since slurmctld's call shows
what lies between. Medians, with the lowest and the highest."""


def section(result: Result) -> Section:
    """The section."""
    rows = result.of(JobStart)
    ours = [row for row in rows if row.program == "xio"]
    floor = [row for row in rows if row.program == "floor"]
    lines: tuple[tuple[str, list[float], list[float]], ...] = (
        ("job started, since srun", [row.since_srun for row in ours], [row.since_srun for row in floor]),
        ("job started, since the ResumeProgram", [row.since_call for row in ours], [row.since_call for row in floor]),
        ("EMS asked, since the ResumeProgram", [row.asked for row in ours if row.asked is not None], []),
    )
    cells = ((what, _spread(xio), _spread(least), _over(xio, least)) for what, xio, least in lines)
    text = f"{_TEXT.format(count=len(ours))}\n\n{table(('', 'xio', 'Floor', 'Over the floor'), cells)}"
    goals = tuple(
        Goal(f"Job start over the floor, {what.partition(', ')[2]}", _median(xio) - _median(least), 0.3, "s")
        for what, xio, least in lines[:2]
    )
    return Section("From srun to the job's start", text, goals)


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{seconds(_median(values))} ({seconds(min(values))} … {seconds(max(values))})"


def _over(xio: Sequence[float], floor: Sequence[float]) -> str:
    return f"{_median(xio) - _median(floor):+.2f} s" if floor else "-"
