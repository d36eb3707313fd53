"""``xio spot-score``: moto says which instance types there are, recorded answers say the scores."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.unit.aws.conftest import LoopbackAws
from xio_slurm.commands.spot_score import command
from xio_slurm.errors import AwsError

CONFIG: dict[str, Any] = {
    "slurm": {
        "ClusterName": "lab",
        "Xio": {
            "ManagementServerIp": "10.0.0.10",
            "PartitionName": "xio",
            "AvailabilityZone": "us-east-2b",
            "DefaultImageName": "image",
            "Profiles": [
                {
                    "ProfileName": "amd",
                    "NodeGroupName": "amd",
                    "InstanceTypes": ["c5a:1", "m5a:1"],
                    "SpotFleetTypes": ["c5a:1", "m5a:4"],
                },
                {
                    "ProfileName": "intel",
                    "NodeGroupName": "intel",
                    "InstanceTypes": ["m5"],
                    "SpotFleetTypes": ["m5.4xlarge:7", "m5.8xlarge"],
                },
            ],
            "Pools": [
                {"PoolName": "a", "ProfileName": "amd", "PoolSize": 10, "CPUs": 2, "MaxMemory": 7200},
                {"PoolName": "b", "ProfileName": "amd", "PoolSize": 5, "CPUs": 4, "MaxMemory": 7200},
                {"PoolName": "c", "ProfileName": "intel", "PoolSize": 1, "CPUs": 8, "MaxMemory": 7200},
            ],
        },
    }
}


def answer_of(*scores: tuple[str, int], following: str = "") -> str:
    """A page of scores, as EC2 writes it (its API reference)."""
    items = "".join(
        f"<item><availabilityZoneId>{zone}</availabilityZoneId><region>us-east-2</region><score>{score}</score></item>"
        for zone, score in scores
    )
    element = f"<nextToken>{following}</nextToken>" if following else ""
    return (
        '<GetSpotPlacementScoresResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId>'
        f"<spotPlacementScoreSet>{items}</spotPlacementScoreSet>{element}</GetSpotPlacementScoresResponse>"
    )


@pytest.fixture
def score(loopback_aws: LoopbackAws, tmp_path: Path) -> Callable[..., Result]:
    """Runs the command on the configuration, with all that goes wrong as an exception."""
    path = tmp_path / "xio.yaml"
    path.write_text(yaml.safe_dump(CONFIG))
    loopback_aws.says("GetSpotPlacementScores", 200, answer_of(("use2-az1", 3), ("use2-az2", 9), ("use2-az3", 3)))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(command, ["-c", str(path), *arguments], catch_exceptions=True)

    return run


def test_each_profiles_zones_are_shown_best_first_with_the_configured_one_marked(score: Callable[..., Result]) -> None:
    result = score()
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[:5] == [
        "amd: 40 vCPUs of 2 families and types",
        "Zone        Zone id   Score                  ",
        "us-east-2b  use2-az2      9  AvailabilityZone",
        "us-east-2a  use2-az1      3                  ",
        "us-east-2c  use2-az3      3                  ",
    ]
    assert "intel: 8 vCPUs of 2 families and types" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_ec2_is_asked_for_every_spot_type_of_the_families_in_single_zones(
    score: Callable[..., Result], loopback_aws: LoopbackAws
) -> None:
    assert score().exit_code == 0
    assert {asked["Filter.2.Value.1"][0] for asked in loopback_aws.of("DescribeInstanceTypes")} == {"spot"}
    amd, intel = loopback_aws.of("GetSpotPlacementScores")
    assert amd["TargetCapacity"] == ["40"]
    assert amd["TargetCapacityUnitType"] == ["vcpu"]
    assert amd["SingleAvailabilityZone"] == ["true"]
    assert amd["RegionName.1"] == ["us-east-2"]
    types = {value[0] for name, value in amd.items() if name.startswith("InstanceType.")}
    assert {"c5a.large", "c5a.24xlarge", "m5a.large"} <= types
    assert {name.partition(".")[0] for name in types} == {"c5a", "m5a"}
    assert {value[0] for name, value in intel.items() if name.startswith("InstanceType.")} == {
        "m5.4xlarge",
        "m5.8xlarge",
    }


def test_another_capacity_can_be_asked_for(score: Callable[..., Result], loopback_aws: LoopbackAws) -> None:
    assert score("--capacity", "7").exit_code == 0
    assert {asked["TargetCapacity"][0] for asked in loopback_aws.of("GetSpotPlacementScores")} == {"7"}


def test_several_regions_are_asked_each_in_turn(score: Callable[..., Result], loopback_aws: LoopbackAws) -> None:
    result = score("--region", "us-east-1", "--region", "us-west-2", "--region", "us-east-1", "--json")
    assert [one["region"] for one in json.loads(result.stdout)["profiles"]] == [
        *("us-east-1", "us-east-1"),
        *("us-west-2", "us-west-2"),
    ]
    assert [asked["RegionName.1"][0] for asked in loopback_aws.of("GetSpotPlacementScores")] == [
        *("us-east-1", "us-east-1"),
        *("us-west-2", "us-west-2"),
    ]


def test_an_answer_of_several_pages_is_read_to_its_end(score: Callable[..., Result], loopback_aws: LoopbackAws) -> None:
    def answer(parameters: dict[str, list[str]]) -> tuple[int, str]:
        if "NextToken" in parameters:
            return 200, answer_of(("use2-az2", 8))
        return 200, answer_of(("use2-az1", 2), following="more")

    loopback_aws.answers["GetSpotPlacementScores"] = answer
    amd, _ = json.loads(score("--json").stdout)["profiles"]
    assert [(one["zone"], one["score"], one["configured"]) for one in amd["scores"]] == [
        ("us-east-2b", 8, True),
        ("us-east-2a", 2, False),
    ]


def test_few_types_low_scores_and_a_zone_without_one_are_explained(
    score: Callable[..., Result], loopback_aws: LoopbackAws
) -> None:
    loopback_aws.says("GetSpotPlacementScores", 200, answer_of(("use2-az1", 1), ("use2-az3", 3)))
    amd, intel = json.loads(score("--json").stdout)["profiles"]
    assert amd["notes"] == [
        "All of us-east-2 is low: more families help, and so does less --capacity at a time.",
        "EC2 gives no score for us-east-2b, which is configured.",
    ]
    assert intel["notes"][0] == "us-east-2 has 2 of their types, and EC2 scores fewer than 3 low."


def test_families_that_the_region_does_not_have_are_told(
    score: Callable[..., Result], loopback_aws: LoopbackAws
) -> None:
    empty = '<DescribeInstanceTypesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><instanceTypeSet>{}'
    item = "<item><instanceType>c5a.large</instanceType></item>"
    end = "</instanceTypeSet></DescribeInstanceTypesResponse>"
    loopback_aws.answers["DescribeInstanceTypes"] = lambda parameters: (
        200,
        empty.format(item if "c5a.*" in parameters["Filter.1.Value.1"] else "") + end,
    )
    amd, intel = json.loads(score("--json").stdout)["profiles"]
    assert amd["missing"] == ["m5a"]
    assert "us-east-2 doesn't have m5a." in amd["notes"]
    assert intel["notes"] == ["us-east-2 has none of them with a spot price."]
    assert len(loopback_aws.of("GetSpotPlacementScores")) == 1


def test_a_capacity_that_no_zone_is_scored_for_is_explained(
    score: Callable[..., Result], loopback_aws: LoopbackAws
) -> None:
    loopback_aws.says("GetSpotPlacementScores", 200, answer_of())
    assert "EC2 scores no zone of us-east-2 for so much: ask for less with --capacity." in score().stdout


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("MaxConfigLimitExceeded", "takes no more new questions for scores of this account for 24 hours"),
        ("UnauthorizedOperation", "do ec2:GetSpotPlacementScores"),
    ],
)
def test_a_refusal_is_one_line(score: Callable[..., Result], loopback_aws: LoopbackAws, code: str, told: str) -> None:
    loopback_aws.refuses("GetSpotPlacementScores", code)
    error = score().exception
    assert isinstance(error, AwsError)
    assert told in str(error)
    assert "\n" not in str(error)


def test_a_configuration_without_spot_types_has_nothing_to_score(loopback_aws: LoopbackAws, tmp_path: Path) -> None:
    path = tmp_path / "xio.yaml"
    document = json.loads(json.dumps(CONFIG))
    for profile in document["slurm"]["Xio"]["Profiles"]:
        profile["SpotFleetTypes"] = []
    path.write_text(yaml.safe_dump(document))
    error = CliRunner().invoke(command, ["-c", str(path)]).exception
    assert "no profile that a pool uses has SpotFleetTypes" in str(error)
    assert loopback_aws.asked == []
