"""``xio image create`` asks AWS about the AMI before the EMS."""

from collections.abc import Callable, Iterator

import pytest
from moto.server import ThreadedMotoServer

from tests.contract.images.conftest import NAME, Site

Begin = Callable[..., Site]

MISSING = "ami-0123456789abcdef0"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (
        ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_DEFAULT_REGION", "us-east-2"),
        ("AWS_CONFIG_FILE", "/nonexistent"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ):
        monkeypatch.setenv(name, value)
    yield
    server.stop()


def test_an_ami_that_will_not_do_is_refused_before_the_ems_is_asked(begin: Begin, aws: None) -> None:
    site = begin()
    done = site.xio("create", "--ami", MISSING, "--name", NAME)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"xio: {MISSING}: there is none in this machine's region that this AWS account may use: see to its id and "
        "region (--no-aws-checks goes on)\n"
    )
    assert site.ems.requests() == []


def test_an_aws_that_can_not_be_asked_is_a_warning(begin: Begin, aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    site = begin()
    done = site.xio("create", "--ami", MISSING, "--name", NAME)
    assert done.returncode == 0
    assert done.stderr.startswith(f"warning: {MISSING} wasn't checked: AWS ec2: no credentials")
    assert site.images() == {NAME: MISSING}
