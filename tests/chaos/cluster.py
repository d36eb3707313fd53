"""The cluster of the chaos: 40 nodes of 4 pools, with ``xio sync`` at work, and an EMS behind a door."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import yaml

from tests.chaos.door import Door
from xio_slurm.lab import Lab, LabOptions, Timing
from xio_slurm.lab.options import QUICK_RECOVERY

POOLS: Final = ("red", "green", "blue", "grey")
NODES_PER_POOL: Final = 10
FOREIGN: Final = ("theirs-1", "xspot-vm-red-99")
"""VMs that this cluster didn't make; one has a name as ours would have it."""

TIMING: Final = Timing(resume_timeout=45, suspend_timeout=3, suspend_time=4)
RECOVERY: Final = replace(QUICK_RECOVERY, boot_failures=10)
"""So many that the dying VMs of a run don't close a pool until an administrator comes: nobody comes."""

_LOG: Final = "SlurmctldDebug=debug2\nDebugFlags=Power,TraceJobs\n"
"""What is needed to understand a fault afterwards."""


@contextmanager
def cluster(folder: Path, scratch: Path) -> Iterator[tuple[Lab, Door]]:
    """The lab, up, and the door through which its programs reach the EMS."""
    config = scratch / "chaos.yaml"
    config.write_text(yaml.safe_dump(_config()))
    with Lab.up(LabOptions(folder, config=config, timing=TIMING, slurm_conf=_LOG, recovery=RECOVERY)) as lab:
        port = urlsplit(lab.emulator_url).port
        assert port is not None
        with Door(port) as door:
            manifest = json.loads(lab.layout.manifest.read_text())
            lab.layout.manifest.write_text(json.dumps({**manifest, "ems_url": door.url}))
            lab.start_sync()
            yield lab, door


def _config() -> dict[str, object]:
    profile = {
        "ProfileName": "amd",
        "NodeGroupName": "amd",
        "MaxControllers": 10,
        "InstanceTypes": ["m5a"],
        "SpotFleetTypes": ["m5a"],
        "EnableHyperthreading": False,
    }
    pools = [
        {"PoolName": name, "ProfileName": "amd", "PoolSize": NODES_PER_POOL, "CPUs": 2, "MaxMemory": 7200}
        for name in POOLS
    ]
    xio = {
        "ManagementServerIp": "10.0.0.10",
        "PartitionName": "xio",
        "AvailabilityZone": "us-east-2b",
        "DefaultImageName": "rhel8",
        "Profiles": [profile],
        "Pools": pools,
    }
    return {"slurm": {"Xio": xio}}
