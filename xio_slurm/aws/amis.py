"""What EC2 says of an AMI, and whether an image can be made from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from xio_slurm.aws.session import client
from xio_slurm.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import ImageTypeDef

_NO_SUCH: Final = frozenset({"InvalidAMIID.NotFound", "InvalidAMIID.Malformed", "InvalidAMIID.Unavailable"})

_PARALLELCLUSTER_NAME: Final = re.compile(
    r"(?:\[Copied [^]]*\]\s*)?(?:aws-parallelcluster-|AWS ParallelCluster AMI)", re.I
)
_PARALLELCLUSTER_TAG: Final = "parallelcluster:"


@dataclass(frozen=True, slots=True)
class Ami:
    """An AMI. ``volumes`` is the size in GB of each EBS volume, None where EC2 doesn't say."""

    id: str
    name: str
    state: str
    architecture: str
    volumes: tuple[int | None, ...]
    product_codes: tuple[str, ...]
    of_parallelcluster: bool


def look_up(ami: str, region: str | None) -> Ami | None:
    """The AMI, or None where this account sees none of that id in the region. Raises AwsError."""
    try:
        with client("ec2", region) as ec2:
            found = ec2.describe_images(ImageIds=[ami])["Images"]
    except AwsError as error:
        if error.code in _NO_SUCH:
            return None
        raise
    return read(found[0]) if found else None


def read(described: ImageTypeDef) -> Ami:
    """An AMI from what ``describe_images`` says of it."""
    volumes = [mapping["Ebs"] for mapping in described.get("BlockDeviceMappings", []) if mapping.get("Ebs")]
    location = described.get("ImageLocation", "").rpartition("/")[2]
    names = (described.get("Name", ""), described.get("Description", ""), location)
    tags = [tag.get("Key", "") for tag in described.get("Tags", [])]
    return Ami(
        id=described.get("ImageId", ""),
        name=described.get("Name", ""),
        state=described.get("State", "unknown"),
        architecture=described.get("Architecture", "unknown"),
        volumes=tuple(volume.get("VolumeSize") for volume in volumes),
        product_codes=tuple(code.get("ProductCodeId", "") for code in described.get("ProductCodes", [])),
        of_parallelcluster=any(_PARALLELCLUSTER_NAME.match(name) for name in names)
        or any(tag.startswith(_PARALLELCLUSTER_TAG) for tag in tags),
    )


def unfit(ami: Ami) -> tuple[str, ...]:
    """Why no image can be made from the AMI, one line each."""
    lines = []
    if ami.of_parallelcluster:
        lines.append(
            f"{ami.id} is an AMI of ParallelCluster: its kernel modules aren't supported by the XIO hypervisor; make an"
            " AMI from your OS's base AMI instead"
        )
    if ami.state != "available":
        lines.append(f"{ami.id} is {ami.state}: wait until it is available, or take another")
    if ami.architecture != "x86_64":
        lines.append(f"{ami.id} is for {ami.architecture}: XIO runs x86_64 alone")
    if len(ami.volumes) != 1:
        lines.append(f"{ami.id} has {len(ami.volumes)} EBS volumes: an image has one; make an AMI with its root volume")
    if ami.product_codes:
        codes = ", ".join(ami.product_codes)
        lines.append(f"{ami.id} has product codes ({codes}): an AMI of the AWS Marketplace can't be an image (203)")
    return tuple(lines)


def volume_size(ami: Ami) -> int | None:
    """The size of its one volume in GB, if EC2 says it."""
    return ami.volumes[0] if len(ami.volumes) == 1 else None
