"""EC2's spot placement scores: how likely spot capacity is to be had, by availability zone.

The API's facts are its own reference's (``GetSpotPlacementScores``): a score of 1 to 10, of this moment and no promise;
fewer than three instance types always score low; a zone that isn't in the answer wasn't scored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from xio_slurm.aws.session import client
from xio_slurm.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef

MIN_TYPES: Final = 3
"""With fewer instance types EC2 answers with a low score, whatever capacity there is."""

_MAX_TYPES: Final = 1000
"""A request takes no more; the largest configurations name about 400."""

_FILTER_VALUES: Final = 200


@dataclass(frozen=True, slots=True)
class Wish:
    """The capacity to score: ``vcpus`` of any of these families or types, such as ``c5a`` or ``c5a.4xlarge``."""

    profile: str
    instances: tuple[str, ...]
    vcpus: int


@dataclass(frozen=True, slots=True)
class Score:
    """How likely a zone has the capacity, from 1 to 10. ``zone`` is the account's name for ``zone_id``."""

    region: str
    zone: str
    zone_id: str
    score: int


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of a wish in one region, best first. ``missing`` are families and types that it doesn't have."""

    wish: Wish
    region: str
    types: int
    missing: tuple[str, ...]
    scores: tuple[Score, ...]


def spot_scores(wishes: Sequence[Wish], region: str | None) -> tuple[Scored, ...]:
    """The scores of each wish in a region. ``region`` None: boto3's usual ways to find one. Raises AwsError."""
    with client("ec2", region) as ec2:
        zones = _zones(ec2)
        return tuple(_scored(ec2, wish, zones) for wish in wishes)


def _scored(ec2: "EC2Client", wish: Wish, zones: dict[str, str]) -> Scored:
    region = ec2.meta.region_name
    types = _spot_types(ec2, wish.instances)
    missing = tuple(instance for instance in wish.instances if not any(_is_of(name, instance) for name in types))
    scores = _scores(ec2, types, wish, zones) if types else ()
    return Scored(wish, region, len(types), missing, scores)


def _zones(ec2: "EC2Client") -> dict[str, str]:
    """Zone id → the account's name for it: the same name is another zone in another account."""
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    return {zone.get("ZoneId", ""): zone.get("ZoneName", "") for zone in zones}


def _spot_types(ec2: "EC2Client", instances: Sequence[str]) -> tuple[str, ...]:
    """The types that the region has with a spot price, of these families and types."""
    patterns = [instance if "." in instance else f"{instance}.*" for instance in instances]
    found: set[str] = set()
    for start in range(0, len(patterns), _FILTER_VALUES):
        filters: list[FilterTypeDef] = [
            {"Name": "instance-type", "Values": patterns[start : start + _FILTER_VALUES]},
            {"Name": "supported-usage-class", "Values": ["spot"]},
        ]
        pages = ec2.get_paginator("describe_instance_types").paginate(Filters=filters)
        found |= {one["InstanceType"] for page in pages for one in page["InstanceTypes"]}
    return tuple(sorted(found))[:_MAX_TYPES]


def _scores(ec2: "EC2Client", types: Sequence[str], wish: Wish, zones: dict[str, str]) -> tuple[Score, ...]:
    region = ec2.meta.region_name
    pages = ec2.get_paginator("get_spot_placement_scores").paginate(
        InstanceTypes=types,
        TargetCapacity=wish.vcpus,
        TargetCapacityUnitType="vcpu",
        SingleAvailabilityZone=True,
        RegionNames=[region],
    )
    try:
        told = [one for page in pages for one in page["SpotPlacementScores"]]
    except ec2.exceptions.ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "MaxConfigLimitExceeded":
            raise AwsError(
                "EC2 takes no more new questions for scores of this account for 24 hours: ask one again that it knows",
                code=code,
            ) from error
        raise
    scores = (_score(region, zones, one.get("AvailabilityZoneId", ""), one.get("Score", 0)) for one in told)
    return tuple(sorted(scores, key=lambda score: (-score.score, score.zone)))


def _score(region: str, zones: dict[str, str], zone_id: str, score: int) -> Score:
    return Score(region, zones.get(zone_id, zone_id), zone_id, score)


def _is_of(name: str, instance: str) -> bool:
    return name == instance or name.partition(".")[0] == instance


def without_priorities(entries: Iterable[str]) -> tuple[str, ...]:
    """A profile's families and types without their priorities, each once."""
    return tuple(dict.fromkeys(entry.partition(":")[0] for entry in entries))
