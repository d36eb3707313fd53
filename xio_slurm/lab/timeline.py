"""When each step of a node's cycle happened, from those who did it: Slurm's logs, our events, the EMS's history."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

_STAMP: Final = re.compile(r"\[(\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:?\d\d)\] (.*)")

TOLERANCE: Final = 0.02
"""Seconds by which two clocks' notes of neighbouring steps may cross: Slurm's logs cut off below a millisecond."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: ``time`` in seconds since the epoch, None if it didn't happen; ``source`` is where that would be."""

    what: str
    time: float | None
    source: Path


@dataclass(frozen=True, slots=True)
class Sources:
    """What is read: our events file, the logs of slurmctld and the node's slurmd, the EMS's requests
    and history with its log."""

    events: Path
    slurmctld_log: Path
    slurmd_log: Path
    ems_requests: Sequence[Any]
    ems_history: Sequence[Any]
    ems_log: Path


def steps(node: str, submitted: float, sources: Sources) -> tuple[Step, ...]:
    """The steps of the first cycle of ``node`` after ``submitted``, in the order in which they must happen."""
    events, controller, slurmd = sources.events, sources.slurmctld_log, sources.slurmd_log
    ems = sources.ems_log
    return (
        Step("job submitted", submitted, controller),
        Step("ResumeProgram called", _called(events, "xio-resume", node, submitted), events),
        Step("EMS asked for the VM", _requested(sources.ems_requests, node, submitted), ems),
        Step("VM up", _in_history(sources.ems_history, "vm-up", node, submitted), ems),
        Step(
            "slurmd registered", _logged(controller, rf"Nodes? {re.escape(node)} now responding", submitted), controller
        ),
        Step("job started", _logged(slurmd, r"launch task StepId=", submitted), slurmd),
        Step("job done", _logged(controller, r"_job_complete: JobId=\d+ done", submitted), controller),
        Step("SuspendProgram called", _called(events, "xio-suspend", node, submitted), events),
        Step("VM gone", _in_history(sources.ems_history, "vm-gone", node, submitted), ems),
    )


def problems(taken: Sequence[Step]) -> tuple[str, ...]:
    """Which steps didn't happen, or not in their order, a line each with where to look; empty if all is right."""
    missing = tuple(f"{step.what}: didn't happen ({_where(step.source)})" for step in taken if step.time is None)
    happened = [(step.time, step) for step in taken if step.time is not None]
    crossed = tuple(
        f"{after.what}: {before_time - after_time:.2f} s before '{before.what}' (see {after.source})"
        for (before_time, before), (after_time, after) in pairwise(happened)
        if after_time < before_time - TOLERANCE
    )
    return missing + crossed


def _where(source: Path) -> str:
    return f"see {source}" if source.exists() else f"there is no {source.name}"


def table(taken: Sequence[Step]) -> str:
    """The steps with the seconds since the first, and since the one before."""
    start = next((step.time for step in taken if step.time is not None), 0.0)
    lines = ["seconds   after", "since     the last"]
    before = start
    for step in taken:
        if step.time is None:
            lines.append(f"{'-':>7}   {'-':>7}  {step.what}: DIDN'T HAPPEN")
            continue
        lines.append(f"{step.time - start:7.2f}   {step.time - before:+7.2f}  {step.what}")
        before = step.time
    return "\n".join(lines)


def _called(events: Path, program: str, node: str, since: float) -> float | None:
    # A call may name many nodes as one hostlist: the first of the run that speaks of this node is the one.
    of_program = [event for event in _json_lines(events) if event.get("program") == program and event["time"] >= since]
    runs = {event.get("run") for event in of_program if event.get("node") == node}
    return min((e["time"] for e in of_program if e.get("run") in runs and e["event"] == "called"), default=None)


def _requested(requests: Iterable[Any], node: str, since: float) -> float | None:
    # However it was answered: a refused VM was asked for as well.
    posts = (r["time"] for r in requests if (r["method"], r["node"]) == ("POST", node) and r["time"] >= since)
    return min(posts, default=None)


def _in_history(history: Iterable[Any], event: str, node: str, since: float) -> float | None:
    times = (e["time"] for e in history if (e["event"], e["node"]) == (event, node) and e["time"] >= since)
    return min(times, default=None)


def _logged(log: Path, text: str, since: float) -> float | None:
    wanted = re.compile(text)
    for line in _lines(log):
        found = _STAMP.match(line)
        if found and wanted.search(found[2]):
            time = datetime.fromisoformat(found[1]).timestamp()
            if time >= since - TOLERANCE:
                return time
    return None


def _json_lines(path: Path) -> list[Any]:
    # The last line may be half written: it is no event yet.
    return [json.loads(line) for line in _lines(path) if line.endswith("}")]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
