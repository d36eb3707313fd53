"""The demo's timeline: it takes every step from its source, and finds what is missing or out of order."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from xio_slurm.lab import timeline
from xio_slurm.lab.timeline import Sources

NODE = "xspot-vm-a-1"
SUBMITTED = 1795342370.0  # 2026-11-22T10:12:50Z


def event(second: float, name: str, program: str, run: str, **more: Any) -> str:
    return json.dumps({"time": SUBMITTED + second, "event": name, "program": program, "run": run, **more})


def emulated(second: float, name: str, node: str = NODE) -> dict[str, Any]:
    return {"time": SUBMITTED + second, "event": name, "node": node, "serial": 1}


def requested(second: float, method: str, node: str = NODE) -> dict[str, Any]:
    return {"time": SUBMITTED + second, "method": method, "path": "/v1/xcompute/vm", "node": node, "status": 503}


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    events = tmp_path / "events.jsonl"
    events.write_text(
        "\n".join(
            (
                event(-9, "called", "xio-resume", "old"),
                event(-9, "asked", "xio-resume", "old", node=NODE),
                event(0.5, "called", "xio-resume", "other"),
                event(0.6, "asked", "xio-resume", "other", node="xspot-vm-a-11"),
                event(1, "called", "xio-resume", "r"),
                event(2, "asked", "xio-resume", "r", node=NODE),
                event(14, "called", "xio-suspend", "s"),
                event(14.1, "gone", "xio-suspend", "s", node=NODE),
                '{"time": 17953',
            )
        )
    )
    controller = tmp_path / "slurmctld.log"
    controller.write_text(
        "[2026-11-22T10:12:49.000+00:00] Node xspot-vm-a-1 now responding\n"
        "[2026-11-22T10:12:53.000+00:00] Node xspot-vm-a-11 now responding\n"
        "[2026-11-22T12:12:54.000+02:00] Node xspot-vm-a-1 now responding\n"
        "[2026-11-22T10:12:56.000+00:00] _job_complete: JobId=1 done\n"
    )
    slurmd = tmp_path / "slurmd.log"
    slurmd.write_text("[2026-11-22T10:12:55.000+00:00] launch task StepId=1.0 request from UID:0\n")
    requests = [requested(1.2, "GET"), requested(1.4, "POST", "xspot-vm-a-11"), requested(1.5, "POST")]
    history = [emulated(2.9, "vm-up", "xspot-vm-a-11"), emulated(3, "vm-up"), emulated(15, "vm-gone")]
    return Sources(events, controller, slurmd, requests, history, tmp_path / "emulator.log")


def test_every_step_is_taken_from_its_source(sources: Sources) -> None:
    steps = timeline.steps(NODE, SUBMITTED, sources)
    assert [step.time and step.time - SUBMITTED for step in steps] == [0.0, 1.0, 1.5, 3.0, 4.0, 5.0, 6.0, 14.0, 15.0]
    assert timeline.problems(steps) == ()


def test_a_step_that_did_not_happen_is_told_with_the_place_to_look(sources: Sources) -> None:
    sources.slurmd_log.unlink()
    sources.ems_log.touch()
    steps = timeline.steps(NODE, SUBMITTED, replace(sources, ems_history=[]))
    assert timeline.problems(steps) == (
        f"VM up: didn't happen (see {sources.ems_log})",
        f"job started: didn't happen (there is no {sources.slurmd_log.name})",
        f"VM gone: didn't happen (see {sources.ems_log})",
    )
    assert "VM up: DIDN'T HAPPEN" in timeline.table(steps)


def test_steps_out_of_order_are_told(sources: Sources) -> None:
    history = [emulated(5.5, "vm-up"), emulated(15, "vm-gone")]
    steps = timeline.steps(NODE, SUBMITTED, replace(sources, ems_history=history))
    assert timeline.problems(steps) == (f"slurmd registered: 1.50 s before 'VM up' (see {sources.slurmctld_log})",)


def test_the_table_fits_a_terminal(sources: Sources) -> None:
    lines = timeline.table(timeline.steps(NODE, SUBMITTED, sources)).splitlines()
    assert max(map(len, lines)) < 80
    assert "     4.00     +1.00  slurmd registered".strip() in [line.strip() for line in lines]
