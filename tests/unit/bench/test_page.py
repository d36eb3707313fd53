"""docs/performance.md says what was measured, and nothing else."""

import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from bench.figures import Batch, Recovered, StartUp
from bench.page import SECTIONS, page, plots, stored
from bench.results import Result

DOCS = Path(__file__).resolve().parents[3] / "docs"


def result(name: str, *rows: Any, quick: bool = False) -> Result:
    return Result(name, quick, 1.0, {"cores": "2"}, [asdict(row) for row in rows])


def goals(text: str) -> dict[str, list[str]]:
    """The table of goals: figure, limit and verdict by what they are about."""
    lines = re.findall(
        r"^\| (.+) \| (.+) \| (.+) \| (.+) \|$", text.partition("\n## Goals")[2].partition("\n## ")[0], re.M
    )
    return {what: cells for what, *cells in lines if what != "---"}


def start_up(resume: float) -> Result:
    programs = {"python -c pass": 0.02, "import requests": 0.1, "xio-resume": resume}
    programs |= {"xio-suspend": 0.12, "xio-resume-fail": 0.11}
    return result("start", *(StartUp(program, seconds) for program, seconds in programs.items()))


def batch(nodes: int, seconds: float, *, action: Any = "resume", latency: float = 0.2, calls: int = 0) -> Batch:
    bound = latency * nodes / 32
    return Batch(action, nodes, latency, seconds, 30.0, calls, 4.0, None, bound, nodes * 0.25, 10)


def test_the_committed_page_is_the_one_of_the_committed_results() -> None:
    results = stored()
    assert (DOCS / "performance.md").read_text(encoding="utf-8") == page(results), "run 'bin/bench --page'"
    drawn = {path.stem: path.read_text(encoding="utf-8") for path in (DOCS / "performance").glob("*.svg")}
    assert drawn == dict(plots(results)), "run 'bin/bench --page'"


def test_every_plot_that_the_page_shows_is_there() -> None:
    results = stored()
    shown = re.findall(r"\(performance/(.+)\.svg\)", page(results))
    assert sorted(shown) == sorted(plots(results))


def test_the_results_tell_nothing_of_the_machine_but_its_kind() -> None:
    for each in stored():
        assert set(each.machine) == {"cores", "memory", "Python", "Slurm", "file system", "a synced file"}


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = start_up(0.125)
    written.write(tmp_path)
    read = Result.read("start", tmp_path)
    assert read == written
    assert read is not None
    assert read.of(StartUp)[2] == StartUp("xio-resume", 0.125)
    assert Result.read("jobs", tmp_path) is None


@pytest.mark.parametrize(("seconds", "verdict"), [(0.13, "reached"), (0.131, "**not reached**")])
def test_a_goal_is_reached_or_not(seconds: float, verdict: str) -> None:
    told = goals(page([start_up(seconds)]))["`xio-resume` for one node, against `import requests`"]
    assert told == [f"{seconds / 0.1:.2f} x", "1.30 x", verdict]


def test_the_figures_stand_beside_what_they_are_measured_against() -> None:
    fast = replace(batch(1_000, 10.0, latency=0.0, action="suspend"), requests_pool=5.0)
    rows = (batch(100, 1.0), batch(1_000, 7.5), batch(1_000, 7.5, action="suspend", calls=3), fast)
    text = page([result("vms", *rows)])
    assert "| 200 ms | 1,000 | 7.50 s | 30 MiB | 4.00 s | 1.88 x | - | - | 6.25 s | 1.20 x | ~250 s | 33.33 x" in text
    assert "| 0 ms | 1,000 | 10.0 s | 30 MiB | 4.00 s | 2.50 x | 5.00 s | 2.00 x | - | - | ~250 s | 25.00 x" in text
    told = goals(text)
    told_of_fast = told["`xio-suspend` of 1,000 nodes at 0 ms, against the bare pool"]
    assert told_of_fast == ["2.50 x", "1.50 x", "**not reached**"]
    assert told["`xio-resume` of 1,000 nodes at 200 ms, against the bound"] == ["1.20 x", "1.25 x", "reached"]
    assert told["`xio-resume` of 1,000 nodes at 0 ms, against the bare pool"] == ["-", "1.50 x", "not measured"]
    assert told["Calls of scontrol by both, for each 500 nodes or less"] == [
        "1.50 calls",
        "1.00 calls",
        "**not reached**",
    ]


def test_a_goal_that_is_seldom_reached_shows_the_longest_too() -> None:
    rows = [Recovered("an orphan is gone", seconds, 4.0, 0.0) for seconds in (3.5, 3.9, 6.0)]
    text = page([result("recovery", *rows)])
    assert "| an orphan is gone | 3.90 s | 6.00 s | never | - |" in text
    assert goals(text)["On a lab: an orphan is gone"] == ["3.90 s", "4.00 s", "reached"]


def test_a_quick_run_is_told_as_one() -> None:
    row = Recovered("an orphan is gone", 3.5, 4.0, 0.0)
    text = page([result("recovery", row, quick=True)])
    assert "A quick run" in text
    assert goals(text)["On a lab: an orphan is gone"][2] == "reached (a quick run)"
    assert "quick run" not in page([result("recovery", row)])


def test_what_was_not_measured_is_told() -> None:
    others = ", ".join(name for name in SECTIONS if name != "start")
    assert f"Not measured yet: {others}." in page([start_up(0.1)])
