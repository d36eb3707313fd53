"""AWS on loopback, as pages presume it: their AMI is there, and spot scores are told. The rest is moto's."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from moto.server import ThreadedMotoServer

from tests.unit.aws.conftest import REGION, LoopbackAws

_NAMESPACE: Final = "http://ec2.amazonaws.com/doc/2016-11-15/"
_AMI: Final = "ami-0123456789abcdef0"
_IMAGES: Final = f"""<DescribeImagesResponse xmlns="{_NAMESPACE}"><requestId>1</requestId><imagesSet><item>
<imageId>{_AMI}</imageId><imageState>available</imageState><architecture>x86_64</architecture><name>rhel8</name>
<imageType>machine</imageType><rootDeviceType>ebs</rootDeviceType><rootDeviceName>/dev/sda1</rootDeviceName>
<virtualizationType>hvm</virtualizationType>
<blockDeviceMapping><item><deviceName>/dev/sda1</deviceName><ebs><volumeSize>10</volumeSize></ebs></item>
</blockDeviceMapping></item></imagesSet></DescribeImagesResponse>"""
_SCORES: Final = f"""<GetSpotPlacementScoresResponse xmlns="{_NAMESPACE}"><requestId>1</requestId>
<spotPlacementScoreSet>
<item><availabilityZoneId>use2-az1</availabilityZoneId><region>{REGION}</region><score>3</score></item>
<item><availabilityZoneId>use2-az2</availabilityZoneId><region>{REGION}</region><score>9</score></item>
</spotPlacementScoreSet></GetSpotPlacementScoresResponse>"""


@contextmanager
def on_loopback() -> Iterator[Mapping[str, str]]:
    """The variables by which programs reach it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    aws = LoopbackAws(f"http://{host}:{port}")
    aws.says("DescribeImages", 200, _IMAGES)
    aws.says("GetSpotPlacementScores", 200, _SCORES)
    yield {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    aws.close()
    server.stop()
