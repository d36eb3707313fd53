"""Whatever is wrong between us and AWS is one line that says what to do."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.aws.conftest import REGION, LoopbackAws
from xio_slurm.aws.session import client
from xio_slurm.errors import AwsError


def _told(region: str | None = REGION) -> str:
    with pytest.raises(AwsError) as caught, client("ec2", region) as ec2:
        ec2.describe_images()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_client_gets_answers(moto_aws: str) -> None:
    with client("ec2", REGION) as ec2:
        assert ec2.describe_availability_zones()["AvailabilityZones"]


@pytest.mark.parametrize(
    ("code", "message", "told"),
    [
        (
            "UnauthorizedOperation",
            "You are not authorized.",
            "let this machine's role (or your user) do ec2:DescribeImages",
        ),
        (
            "AccessDenied",
            "User: arn:aws:sts::1:assumed-role/r is not authorized to perform: sts:AssumeRole on resource: x",
            "do sts:AssumeRole",
        ),
        ("AccessDeniedException", "Access to KMS is not allowed", "do kms:Decrypt"),
        ("RequestExpired", "Request has expired.", "the credentials have expired: get new ones"),
        ("ExpiredToken", "expired", "the credentials have expired: get new ones"),
        ("AuthFailure", "not able to validate", "AWS doesn't know these credentials (AuthFailure)"),
        ("SignatureDoesNotMatch", "no match", "see to the secret access key and this machine's clock"),
        ("InvalidAMIID.NotFound", "The image id\n'x' does not exist.", "The image id 'x' does not exist (InvalidAMIID"),
        ("Odd", "", "no text (Odd)"),
    ],
)
def test_a_refusal_says_what_to_do(loopback_aws: LoopbackAws, code: str, message: str, told: str) -> None:
    loopback_aws.refuses("DescribeImages", code, message)
    with pytest.raises(AwsError) as caught, client("ec2", REGION) as ec2:
        ec2.describe_images()
    assert str(caught.value).startswith("AWS ec2: DescribeImages: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.code == code


def test_a_throttled_request_is_tried_again_and_then_told(loopback_aws: LoopbackAws) -> None:
    loopback_aws.refuses("DescribeImages", "RequestLimitExceeded", status=503)
    assert "try again in a minute" in _told()
    assert len(loopback_aws.of("DescribeImages")) == 3


@pytest.mark.parametrize("body", ["<html><p>Sign in</html>", "", "{}"])
def test_an_answer_that_is_not_of_aws_is_one_line_without_the_answer(loopback_aws: LoopbackAws, body: str) -> None:
    loopback_aws.says("DescribeImages", 500, body)
    assert "<" not in _told()


@pytest.mark.parametrize("body", ["<html><p>Sign in</html>", "\0\0"])
def test_a_page_of_a_proxy_in_place_of_the_answer_is_told(loopback_aws: LoopbackAws, body: str) -> None:
    loopback_aws.says("DescribeImages", 200, body)
    assert _told() == "AWS ec2: the answer isn't AWS's: see to HTTPS_PROXY and AWS_ENDPOINT_URL"


def test_nobody_at_the_endpoint_is_told_with_what_to_look_at(moto_aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    told = _told()
    assert "no answer (" in told
    assert "see to the region, the route and the VPC endpoint" in told


def test_without_credentials_it_says_where_they_could_come_from(moto_aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert "no credentials: give this machine a role" in _told()


def test_without_a_region_it_says_where_it_could_come_from(moto_aws: str) -> None:
    assert "no region: set AvailabilityZone in the configuration" in _told(None)


def test_what_is_no_region_is_told(moto_aws: str) -> None:
    assert "write a region such as us-east-2" in _told("us east 2")


def test_a_profile_that_is_not_there_is_told(moto_aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "(nobody) could not be found: set AWS_PROFILE to one of" in _told()


def test_an_endpoint_that_is_no_url_is_told(moto_aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    assert _told() == "Invalid endpoint: nonsense: see to AWS_ENDPOINT_URL"


def test_an_error_of_the_blocks_own_stays_what_it_is(moto_aws: str) -> None:
    with pytest.raises(ValueError, match=r"^mine$"), client("ec2", REGION):
        raise ValueError("mine")


def test_without_boto3_it_says_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "boto3.py").write_text("raise ImportError('no boto3 here')\n")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from xio_slurm.aws.stack import management_server_address as look_up\n"
        "try: look_up('stack', None)\n"
        "except Exception as error: print(error)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == f"AWS can't be asked, since boto3 isn't installed: {sys.executable} -m pip install boto3\n"
