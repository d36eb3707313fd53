"""``xio apply`` on a cluster that never heard of us: its jobs run on VMs then, and its other nodes come as before."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from tests.slurm.conftest import QUICK
from tests.slurm.versions import slurm_of
from xio_slurm.lab import Lab
from xio_slurm.lab.deployment import USER_DATA
from xio_slurm.slurm.version import RECONFIGURE_NODES

NODE = "xspot-vm-small-1"


def without_us(lab: Lab) -> None:
    """Make the lab a cluster with ParallelCluster's kind of programs alone, that never heard of us."""
    layout = lab.layout
    lab.stop_slurmctld()
    port = re.search(r"Port=\[?(\d+)", layout.node_definitions.read_text())
    assert port is not None
    lines = [line for line in layout.slurm_conf.read_text().splitlines() if str(layout.node_definitions) not in line]
    lines += [
        f"ResumeProgram={layout.bin}/pc-resume",
        f"SuspendProgram={layout.bin}/pc-suspend",
        f"SlurmdPort={port[1]}",  # of a VM: only one runs at a time here, and the machine is shared
    ]
    layout.slurm_conf.write_text("\n".join(lines))  # as the last one, a line without an end
    for path in (layout.node_definitions, layout.manifest, layout.etc / "xio.nodes.conf"):
        path.unlink()
    lab.start_slurmctld()


def configuration(lab: Lab, path: Path) -> Path:
    """A file as an administrator writes it, with this lab's places."""
    plugin = {
        "EmsUrl": lab.emulator_url,
        "StateDir": str(lab.layout.ledger),
        "LogDir": str(lab.layout.log),
        "SlurmBinDir": lab.record.slurm_bin_dir,
        "ProgramDir": str(lab.layout.bin),
        "UserDataTemplate": str(USER_DATA),
        "ResumeTimeout": QUICK.resume_timeout,
        "SuspendTimeout": QUICK.suspend_timeout,
        "SuspendTime": QUICK.suspend_time,
    }
    section = {
        "PartitionName": "xio",
        "AvailabilityZone": "us-east-2b",
        "Images": [{"ImageName": "rhel8", "ImageId": "ami-1"}],
        "DefaultImageName": "rhel8",
        "Profiles": [{"ProfileName": "amd", "InstanceTypes": ["c6a", "m6a"], "SpotFleetTypes": ["c6a", "m6a"]}],
        "Pools": [{"PoolName": "small", "ProfileName": "amd", "CPUs": 2, "MaxMemory": 4000, "PoolSize": 3}],
        "Plugin": plugin,
    }
    path.write_text(yaml.safe_dump({"slurm": {"Xio": section}}))
    return path


def test_a_cluster_without_us_runs_jobs_on_vms_after_apply_and_keeps_its_other_nodes(
    make_lab: Callable[..., Lab], tmp_path: Path
) -> None:
    lab = make_lab(delegated_nodes=2, applied=False)
    layout = lab.layout
    without_us(lab)
    assert set(lab.nodes()) == {"pc-1", "pc-2"}
    file = configuration(lab, tmp_path / "xio.yaml")
    options = ("-c", file, "-o", layout.etc, "--slurm-conf", layout.slurm_conf)
    command = (sys.executable, "-m", "xio_slurm.commands")

    planned = lab.run(*command, "plan", *options, "--detailed-exitcode")
    assert planned.returncode == 2, planned.stderr
    assert ("better stop slurmctld" in planned.stderr) == (slurm_of(lab) < RECONFIGURE_NODES)
    applied = lab.run(*command, "apply", *options, "--yes")
    assert applied.returncode == 0, applied.stderr
    assert "Slurm: restart slurmctld" in applied.stdout
    delegates = json.loads(layout.manifest.read_text())["delegates"]
    assert delegates["resume"] == f"{layout.bin}/pc-resume"
    restart = "next: restart slurmctld (running jobs survive that): it doesn't know our ResumeProgram yet\n"
    assert restart in lab.run(*command, "plan", *options).stdout
    lab.restart_slurmctld()
    assert restart not in lab.run(*command, "plan", *options).stdout

    for partition, node in (("xio", NODE), ("pc", "pc-1")):
        job = lab.run("srun", "-p", partition, "hostname")
        assert (job.returncode, job.stdout) == (0, f"{node}\n"), job.stderr
        lab.wait_until_idle(240)
    calls = [json.loads(line) for line in layout.delegated_calls.read_text().splitlines()]
    assert [call for call in calls if call["refused"]] == []
    assert lab.run(*command, "plan", *options, "--detailed-exitcode").returncode == 0
