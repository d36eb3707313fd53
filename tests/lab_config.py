"""A configuration for labs whose pools a test names itself."""

from collections.abc import Mapping
from typing import Any


def config_of(sizes: Mapping[str, int], *, cpus: int, **plugin: Any) -> dict[str, Any]:
    """Pools of these names and sizes, all of one profile. ``plugin``: our own settings."""
    profile = {
        "ProfileName": "amd",
        "NodeGroupName": "amd",
        "MaxControllers": 10,
        "InstanceTypes": ["m5a"],
        "SpotFleetTypes": ["m5a"],
        "EnableHyperthreading": False,
    }
    pools = [
        {"PoolName": name, "ProfileName": "amd", "PoolSize": size, "CPUs": cpus, "MaxMemory": 7200}
        for name, size in sizes.items()
    ]
    xio = {
        "ManagementServerIp": "10.0.0.10",
        "PartitionName": "xio",
        "AvailabilityZone": "us-east-2b",
        "DefaultImageName": "rhel8",
        "Profiles": [profile],
        "Pools": pools,
        **({"Plugin": plugin} if plugin else {}),
    }
    return {"slurm": {"Xio": xio}}
