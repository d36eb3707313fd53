"""docs/performance.md and its plots, made from bench/results. Pure but for the last function."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from bench.ratio import Goal
from bench.results import FOLDER, Result
from bench.sections import controller, fleet, jobs, recovery, slurmctld, start, storm, vms, weak
from bench.sections.section import Section
from bench.table import quantity, table
from bench.timing import TREE

SECTIONS: Final[Mapping[str, Callable[[Result], Section]]] = {
    "vms": vms.section,
    "weak": weak.section,
    "start": start.section,
    "jobs": jobs.section,
    "fleet": fleet.section,
    "slurmctld": slurmctld.section,
    "controller": controller.section,
    "storm": storm.section,
    "recovery": recovery.section,
}
"""Measurements, in the page's order."""

_INTRODUCTION: Final = """\
# How fast it is

<!-- Made from bench/results by bin/bench: measure anew ('bin/bench NAME'), don't change this. -->

What is measured is what Slurm and people call: the installed programs, each in a process of its own. A time alone says
little of another machine, so each figure stands beside what could be had at best, or what is in use today, **taken in
the same run**; the ratio is what counts. `bin/bench` takes all of it anew, in at most 25 minutes on a machine that does
nothing else, `bin/bench NAME` one measurement, and both write this page.

## Goals
"""


def page(results: Iterable[Result]) -> str:
    """The page's text. Measurements without a result are named as such."""
    found = {result.name: result for result in results}
    made = {name: section(found[name]) for name, section in SECTIONS.items() if name in found}
    goals = (
        (goal.what, quantity(goal.figure, goal.unit), quantity(goal.limit, goal.unit), _verdict(goal, found[name]))
        for name, section in made.items()
        for goal in section.goals
    )
    parts = [_INTRODUCTION, table(("", "Figure", "At most", ""), goals)]
    missing = [name for name in SECTIONS if name not in found]
    if missing:
        parts.append(f"\nNot measured yet: {', '.join(missing)}.")
    for name, section in made.items():
        parts.append(f"\n## {section.title}\n\n{_origin(found[name])}\n\n{section.text}")
    return "\n".join(parts) + "\n"


def plots(results: Iterable[Result]) -> Mapping[str, str]:
    """The plots' SVG, by name."""
    return {
        name: svg
        for result in results
        if result.name in SECTIONS
        for name, svg in SECTIONS[result.name](result).plots.items()
    }


def _verdict(goal: Goal, result: Result) -> str:
    return f"{goal.verdict} (a quick run)" if result.quick and goal.figure is not None else goal.verdict


def _origin(result: Result) -> str:
    machine = ", ".join(f"{what} {value}" for what, value in result.machine.items())
    quick = " **A quick run: few nodes, few repetitions; its figures say little.**" if result.quick else ""
    return f"*`bin/bench {result.name}`, {result.seconds:.0f} s. Machine: {machine}.*{quick}"


def stored(folder: Path = FOLDER) -> tuple[Result, ...]:
    """The results that there are."""
    return tuple(result for name in SECTIONS if (result := Result.read(name, folder)) is not None)


def write(docs: Path = TREE / "docs") -> None:
    """Write the page and its plots."""
    results = stored()
    (docs / "performance.md").write_text(page(results), encoding="utf-8")
    folder = docs / "performance"
    folder.mkdir(exist_ok=True)
    for name, svg in plots(results).items():
        (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
