"""The EMS's address from its CloudFormation stack."""

import json

import pytest

from tests.unit.aws.conftest import REGION, LoopbackAws
from xio_slurm.aws.session import client
from xio_slurm.aws.stack import OUTPUT, management_server_address
from xio_slurm.errors import AwsError

STACK = "exostellar-management-server"


def _make(outputs: dict[str, str], name: str = STACK) -> str:
    template = {
        "Resources": {"Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "EMS"}}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    if not outputs:
        del template["Outputs"]
    with client("cloudformation", REGION) as cloudformation:
        return cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))["StackId"]


def _told(stack: str = STACK) -> str:
    with pytest.raises(AwsError) as caught:
        management_server_address(stack, REGION)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def _described(status: str, outputs: str = "", token: str = "") -> str:
    stack = (
        f"<StackId>arn:x</StackId><StackName>{STACK}</StackName><CreationTime>2024-01-01T00:00:00Z</CreationTime>"
        f"<StackStatus>{status}</StackStatus><Outputs>{outputs}</Outputs>"
    )
    member = f"<member>{stack}</member>" if status else ""
    following = f"<NextToken>{token}</NextToken>" if token else ""
    return (
        '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>'
        f"<Stacks>{member}</Stacks>{following}</DescribeStacksResult></DescribeStacksResponse>"
    )


ADDRESS = f"<member><OutputKey>{OUTPUT}</OutputKey><OutputValue>10.0.0.10</OutputValue></member>"


def test_it_is_the_output_of_the_stack(moto_aws: str) -> None:
    _make({"1Url": "https://x", OUTPUT: "10.1.2.3"})
    assert management_server_address(STACK, REGION) == "10.1.2.3"


def test_the_region_can_come_from_the_environment(moto_aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _make({OUTPUT: "10.1.2.3"})
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    assert management_server_address(STACK, None) == "10.1.2.3"


def test_a_stack_that_is_not_there_is_told_with_its_region(moto_aws: str) -> None:
    assert _told() == (
        f"the stack {STACK} in {REGION}: there is none of that name: "
        "see to ManagementServerStackName and AvailabilityZone"
    )


def test_a_deleted_stack_that_is_named_by_its_arn_is_told(moto_aws: str) -> None:
    stack = _make({OUTPUT: "10.1.2.3"})
    with client("cloudformation", REGION) as cloudformation:
        cloudformation.delete_stack(StackName=stack)
    assert "is DELETE_COMPLETE: it has no management server" in _told(stack)


def test_a_stack_of_something_else_is_told_with_the_outputs_that_it_has(moto_aws: str) -> None:
    _make({"HeadNode": "10.1.2.3", "Bucket": "b"})
    assert f"has no output {OUTPUT} (it has Bucket, HeadNode): is it the stack of" in _told()


def test_a_stack_without_outputs_is_told(moto_aws: str) -> None:
    _make({})
    assert "(it has none at all)" in _told()


def test_a_value_that_is_no_address_is_told(moto_aws: str) -> None:
    _make({OUTPUT: "ems.example.com"})
    assert f"the output {OUTPUT} is 'ems.example.com', which is no IP address" in _told()


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("CREATE_IN_PROGRESS", "wait until it is done"),
        ("UPDATE_IN_PROGRESS", "wait until it is done"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "wait until it is done"),
        ("DELETE_IN_PROGRESS", "it has no management server"),
        ("ROLLBACK_COMPLETE", "it has no management server"),
        ("CREATE_FAILED", "it has no management server"),
    ],
)
def test_a_stack_that_is_not_finished_is_told(loopback_aws: LoopbackAws, status: str, remedy: str) -> None:
    loopback_aws.says("DescribeStacks", 200, _described(status, ADDRESS))
    assert f"is {status}: {remedy}" in _told()


@pytest.mark.parametrize(
    "status", ["UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED", "IMPORT_COMPLETE"]
)
def test_a_stack_that_has_its_server_gives_the_address(loopback_aws: LoopbackAws, status: str) -> None:
    loopback_aws.says("DescribeStacks", 200, _described(status, ADDRESS))
    assert management_server_address(STACK, REGION) == "10.0.0.10"


def test_an_answer_of_several_pages_is_read_to_its_end(loopback_aws: LoopbackAws) -> None:
    def answer(parameters: dict[str, list[str]]) -> tuple[int, str]:
        return 200, _described("CREATE_COMPLETE", ADDRESS) if "NextToken" in parameters else _described("", "", "more")

    loopback_aws.answers["DescribeStacks"] = answer
    assert management_server_address(STACK, REGION) == "10.0.0.10"


def test_a_missing_right_is_told_by_its_name(loopback_aws: LoopbackAws) -> None:
    error = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>No.</Message></Error></ErrorResponse>"
    loopback_aws.says("DescribeStacks", 403, error)
    assert "do cloudformation:DescribeStacks" in _told()
