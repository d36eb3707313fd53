"""The profile ``az1``: the one that a freshly deployed EMS has, and that others are made from."""

from typing import Any


def servers_own() -> dict[str, Any]:
    """A new copy of what the EMS itself writes into every profile, and clients leave out."""
    return {"Arbiter": "cfe-v2", "Manufacturer": "intel", "MeteringList": [], "Status": "idle"}


def az1() -> dict[str, Any]:
    """A new copy, without the parts that the EMS writes itself."""
    return {
        "ProfileName": "az1",
        "NodeGroupName": "az1",
        "AvailabilityZone": "us-east-2b",
        "Region": "us-east-2",
        "EnableIO": False,
        "LogPath": "/var/log/xcompute",
        "MaxControllers": 10,
        "XspotVersion": "xspot-3.4.0",
        "Controller": {
            "IdentityRole": "arn:aws:iam::123456789012:instance-profile/xio-controller",
            "ImageId": "ami-00000000000000001",
            "InstanceTags": _tags("controller"),
            "InstanceType": "c5.xlarge",
            "SecurityGroupIds": ["sg-00000000000000001"],
            "SubnetId": "subnet-00000000000000001",
            "VolumeSize": 100,
        },
        "Worker": {
            "IdentityRole": "arn:aws:iam::123456789012:instance-profile/xio-worker",
            "ImageId": "ami-00000000000000002",
            "InstanceTags": _tags("worker"),
            "InstanceTypes": ["m5:0", "m6i:1"],
            "SpotFleetTypes": ["m5:1", "m5d:0", "m5n:0", "m6i:1"],
            "SecurityGroupIds": ["sg-00000000000000001"],
            "SubnetId": "subnet-00000000000000001",
        },
        "Xspot": {"EnableHyperthreading": True, "EnableBalloon": True},
    }


def _tags(role: str) -> list[dict[str, str]]:
    return [
        {"Key": "Name", "Value": f"az1-{role}"},
        {"Key": "exostellar.xspot-role", "Value": f"xspot-{role}"},
    ]
