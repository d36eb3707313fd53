"""What is said of an AMI before the EMS is asked to make an image from it."""

from collections.abc import Iterable
from dataclasses import dataclass

from xio_slurm.aws.amis import Ami, look_up, unfit, volume_size
from xio_slurm.errors import AwsError
from xio_slurm.manifest import Pool


@dataclass(frozen=True, slots=True)
class AmiCheck:
    """Why no image can be made, and what else a person should know; one line each."""

    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def check_ami(ami: str, image: str, region: str | None, pools: Iterable[Pool]) -> AmiCheck:
    """Ask AWS. What can't be asked (no boto3, no credentials) is a warning."""
    try:
        found = look_up(ami, region)
    except AwsError as error:
        return AmiCheck((), (f"{ami} wasn't checked: {error}",))
    if found is None:
        where = f"in {region}" if region is not None else "in this machine's region"
        return AmiCheck((f"{ami}: there is none {where} that this AWS account may use: see to its id and region",), ())
    return AmiCheck(unfit(found), too_small(found, image, pools))


def too_small(ami: Ami, image: str, pools: Iterable[Pool]) -> tuple[str, ...]:
    """The pools of the image whose VMs couldn't hold the AMI's volume."""
    size = volume_size(ami)
    if size is None:
        return ()
    return tuple(
        f"pool {pool.name}: VolumeSize is {pool.volume_size} GB, and {ami.id} has a volume of {size} GB: raise it"
        for pool in pools
        if pool.image == image and pool.volume_size < size
    )
