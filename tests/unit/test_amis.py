"""What is said of an AMI: of recorded shapes, and asked of an AWS on this machine."""

import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from xio_slurm.aws.amis import look_up, read, unfit, volume_size
from xio_slurm.errors import AwsError
from xio_slurm.images.ami_check import check_ami, too_small
from xio_slurm.manifest import Pool

REGION = "us-east-2"

SOUND: dict[str, Any] = {
    "Architecture": "x86_64",
    "CreationDate": "2025-03-04T15:16:17.000Z",
    "ImageId": "ami-0123456789abcdef0",
    "ImageLocation": "123456789012/res-demo-pc-3-10-1-rhel8-x86",
    "ImageType": "machine",
    "Public": False,
    "OwnerId": "123456789012",
    "PlatformDetails": "Red Hat Enterprise Linux",
    "State": "available",
    "BlockDeviceMappings": [
        {
            "DeviceName": "/dev/sda1",
            "Ebs": {
                "DeleteOnTermination": True,
                "SnapshotId": "snap-0123456789abcdef0",
                "VolumeSize": 100,
                "VolumeType": "gp3",
                "Encrypted": False,
            },
        },
        {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
    ],
    "Description": "RHEL 8 for jobs of ParallelCluster, made with aws-parallelcluster's playbooks",
    "Hypervisor": "xen",
    "Name": "res-demo-pc-3-10-1-rhel8-x86",
    "RootDeviceName": "/dev/sda1",
    "RootDeviceType": "ebs",
    "VirtualizationType": "hvm",
}
"""As EC2 describes an AMI that somebody made from an instance, with the account's number changed."""

VOLUME = SOUND["BlockDeviceMappings"][0]


def test_a_sound_ami_has_nothing_against_it() -> None:
    ami = read(SOUND)  # type: ignore[arg-type]  # the shape as it comes, not typed
    assert unfit(ami) == ()
    assert volume_size(ami) == 100


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"State": "pending"}, "is pending: wait until it is available"),
        ({"Architecture": "arm64"}, "is for arm64: XIO runs x86_64 alone"),
        ({"BlockDeviceMappings": [VOLUME, VOLUME]}, "has 2 EBS volumes: an image has one"),
        ({"BlockDeviceMappings": []}, "has 0 EBS volumes"),
        (
            {"ProductCodes": [{"ProductCodeId": "abc", "ProductCodeType": "marketplace"}]},
            "has product codes (abc): an AMI of the AWS Marketplace can't be an image",
        ),
        ({"Name": "aws-parallelcluster-3.10.1-rhel8-hvm-x86_64-202406"}, "kernel modules aren't supported by the XIO"),
        ({"ImageLocation": "amazon/aws-parallelcluster-3.8.0-amzn2"}, "is an AMI of ParallelCluster"),
        ({"Description": "AWS ParallelCluster AMI for rhel8"}, "is an AMI of ParallelCluster"),
        ({"Description": "[Copied ami-1 from us-east-1] aws-parallelcluster-3.9"}, "is an AMI of ParallelCluster"),
        ({"Tags": [{"Key": "parallelcluster:image_id", "Value": "a"}]}, "is an AMI of ParallelCluster"),
    ],
)
def test_what_can_be_no_image_is_told(change: dict[str, Any], words: str) -> None:
    (line,) = unfit(read({**SOUND, **change}))  # type: ignore[typeddict-item]  # as above
    assert words in line
    assert line.startswith(SOUND["ImageId"])


def test_a_description_of_nothing_is_told_and_no_failure() -> None:
    assert len(unfit(read({}))) == 3


def test_pools_whose_volume_is_smaller_are_told() -> None:
    ami = read(SOUND)  # type: ignore[arg-type]  # as above
    pools = [_pool("small", "rhel8", 10), _pool("large", "rhel8", 100), _pool("other", "rhel9", 10)]
    (line,) = too_small(ami, "rhel8", pools)
    assert line == f"pool small: VolumeSize is 10 GB, and {ami.id} has a volume of 100 GB: raise it"


def _pool(name: str, image: str, volume_size: int) -> Pool:
    return Pool(name, "amd", image, 1, 1, 7200, None, volume_size)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An AWS on this machine; its URL."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    for name, value in (
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_CONFIG_FILE", "/nonexistent"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials of its first client
    yield url
    server.stop()


def _amazons(architecture: str) -> str:
    """An AMI of Amazon's, as the AWS on this machine has them: with a volume of 15 GB."""
    ec2 = boto3.client("ec2", region_name=REGION)
    of = [{"Name": "architecture", "Values": [architecture]}]
    return str(ec2.describe_images(Filters=of)["Images"][0]["ImageId"])  # type: ignore[arg-type]  # a typed dict


def test_an_ami_of_aws_is_checked_in_the_region(aws: str) -> None:
    ami = _amazons("x86_64")
    checked = check_ami(ami, "rhel8", REGION, (_pool("small", "rhel8", 10), _pool("large", "rhel8", 15)))
    assert checked.errors == ()
    assert checked.warnings == (f"pool small: VolumeSize is 10 GB, and {ami} has a volume of 15 GB: raise it",)


def test_an_ami_of_aws_that_will_not_do_is_refused(aws: str) -> None:
    ami = _amazons("arm64")
    assert check_ami(ami, "rhel8", REGION, ()).errors == (f"{ami} is for arm64: XIO runs x86_64 alone",)


def test_an_ami_that_is_not_there_is_refused(aws: str) -> None:
    missing = "ami-0123456789abcdef0"
    assert look_up(missing, REGION) is None
    checked = check_ami(missing, "rhel8", REGION, ())
    assert checked.errors == (
        f"{missing}: there is none in {REGION} that this AWS account may use: see to its id and region",
    )


def test_without_credentials_it_is_a_warning(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(AwsError, match="no credentials"):
        look_up("ami-1", REGION)
    checked = check_ami("ami-1", "rhel8", REGION, ())
    assert checked.errors == ()
    assert checked.warnings[0].startswith("ami-1 wasn't checked: AWS ec2: no credentials")


def test_without_boto3_it_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    (line,) = check_ami("ami-1", "rhel8", REGION, ()).warnings
    install = f"{sys.executable} -m pip install boto3"
    assert line == f"ami-1 wasn't checked: AWS can't be asked, since boto3 isn't installed: {install}"
