"""How often the programs call scontrol, counted on a real Slurm by a wrapper that notes who calls."""

import shutil
from pathlib import Path
from typing import Final

import pytest
import requests

from tests.slurm.conftest import QUICK, short_path
from tests.slurm.waiting import wait_for
from xio_slurm.lab import Lab, LabOptions

NODES: Final = 500
CONFIGURATION: Final = f"""
slurm:
  Xio:
    ManagementServerIp: 127.0.0.1
    DefaultImageName: image
    Profiles: [{{ProfileName: amd, NodeGroupName: amd, InstanceTypes: [c6a, m6a], SpotFleetTypes: [c6a, m6a]}}]
    Pools: [{{PoolName: many, ProfileName: amd, PoolSize: {NODES}, CPUs: 1, MaxMemory: 1000}}]
"""
WRAPPER: Final = """#!/bin/sh
printf '%s|%s\\n' "$(tr '\\0' ' ' < /proc/$PPID/cmdline)" "$1 $2" >> {calls}
exec {scontrol} "$@"
"""


def _counting_slurm(folder: Path) -> Path:
    """A Slurm like the machine's, whose scontrol notes each call in ``folder/calls``."""
    for name in ("bin", "sbin"):
        (folder / name).mkdir(parents=True)
    for program in ("srun", "sbatch", "squeue", "sinfo", "scancel"):
        (folder / "bin" / program).symlink_to(_found(program))
    for program in ("slurmctld", "slurmd"):
        (folder / "sbin" / program).symlink_to(_found(program))
    wrapper = folder / "bin" / "scontrol"
    wrapper.write_text(WRAPPER.format(calls=folder / "calls", scontrol=_found("scontrol")))
    wrapper.chmod(0o755)
    (folder / "calls").touch()
    (folder / "calls").chmod(0o666)
    folder.chmod(0o755)
    return folder


def _found(program: str) -> str:
    path = shutil.which(program, path="/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin")
    assert path, f"{program} is missing: apt-get install slurmctld slurmd slurm-client"
    return path


def _calls(folder: Path, program: str) -> list[str]:
    lines = (folder / "calls").read_text().splitlines()
    return [line.split("|")[1] for line in lines if f"xio_slurm.power.{program} " in line]


@pytest.mark.parametrize(
    ("fault", "calls"),
    [
        ({"effect": "never-boots"}, []),
        (
            {"effect": "status", "status": 400, "error": "no such image"},
            ["show node", "update NodeName", "update NodeName"],
        ),
    ],
)
def test_five_hundred_nodes_take_at_most_three_calls(fault: dict[str, object], calls: list[str]) -> None:
    folder = short_path()
    try:
        slurm = _counting_slurm(folder)
        (folder / "xio.yaml").write_text(CONFIGURATION)
        options = LabOptions(short_path(), config=folder / "xio.yaml", slurm=slurm, timing=QUICK)
        with Lab.up(options) as lab:
            document = {**fault, "match": {"method": "POST"}}
            requests.post(f"{lab.record.emulator_url}/emulator/faults", json=document, timeout=10).raise_for_status()
            nodes = f"xspot-vm-many-[1-{NODES}]"
            assert lab.run("scontrol", "update", f"NodeName={nodes}", "State=POWER_UP").returncode == 0
            wait_for(lambda: lab.events("ended"), 60)
            (called,) = lab.events("called", program="xio-resume")
            assert called["nodes"] == NODES
            assert [call.split("=")[0] for call in _calls(folder, "resume")] == calls
    finally:
        shutil.rmtree(folder)
