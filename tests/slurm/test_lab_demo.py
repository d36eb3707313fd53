"""``bin/demo``: it says that all happened only if it did, and cleans up after itself whatever happens."""

import re
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from xio_slurm.lab import folder, processes

DEMO = Path(__file__).resolve().parents[2] / "bin" / "demo"
NODE = "xspot-vm-amd-8-gb-1-cores-1"
STEPS = (
    "job submitted",
    "ResumeProgram called",
    "EMS asked for the VM",
    "VM up",
    "slurmd registered",
    "job started",
    "job done",
    "SuspendProgram called",
    "VM gone",
)


def lab_of(output: str) -> Path:
    found = re.search(r"(/tmp/xio-demo-\w+)$", output, re.MULTILINE)
    assert found, output
    return Path(found[1])


def seconds_by_step(output: str) -> dict[str, float]:
    rows = re.findall(r"^ *(\d+\.\d\d) +\+\d+\.\d\d  (.+)$", output, re.MULTILINE)
    return {step: float(seconds) for seconds, step in rows}


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    file = tmp_path / "scenario.yaml"
    file.write_text("faults:\n  - effect: no-capacity\n")
    return file


def test_the_main_job_happens_in_order_and_leaves_nothing() -> None:
    demo = subprocess.run((DEMO,), capture_output=True, text=True, timeout=240, check=False)
    assert (demo.returncode, demo.stderr) == (0, ""), demo.stdout + demo.stderr
    lines = demo.stdout.splitlines()
    assert NODE in lines
    assert max(map(len, lines)) < 80
    taken = seconds_by_step(demo.stdout)
    assert tuple(taken) == STEPS
    assert list(taken.values()) == sorted(taken.values())
    place = lab_of(demo.stdout)
    assert not place.exists()
    assert processes.of_lab(place) == []


def test_a_refused_vm_is_told_and_the_logs_stay(scenario: Path) -> None:
    demo = subprocess.run((DEMO, "--scenario", scenario), capture_output=True, text=True, timeout=240, check=False)
    place = lab_of(demo.stdout)
    try:
        assert demo.returncode == 1
        assert f"VM up: didn't happen (see {place}/log/emulator.log)" in demo.stderr
        assert f"its logs kept in {place}/log" in demo.stderr
        assert "EMS asked for the VM" in seconds_by_step(demo.stdout)
        assert (place / "log" / "slurmctld.log").stat().st_size > 0
        assert processes.of_lab(place) == []
    finally:
        folder.remove(place)


@pytest.mark.parametrize(("number", "when"), [(signal.SIGINT, "emulator on"), (signal.SIGTERM, "srun")])
def test_an_interrupted_demo_leaves_nothing(number: signal.Signals, when: str) -> None:
    with subprocess.Popen((DEMO,), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        seen = ""
        while when not in seen:
            line = demo.stdout.readline()
            assert line, f"it ended before {when!r}: {seen}"
            seen += line
        psutil.Process(demo.pid).send_signal(number)
        rest, errors = demo.communicate(timeout=120)
    assert demo.returncode == 130, errors
    assert "interrupted" in errors
    place = lab_of(seen + rest)
    assert not place.exists()
    assert processes.of_lab(place) == []
