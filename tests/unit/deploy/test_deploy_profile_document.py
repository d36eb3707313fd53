"""What a profile should be: az1 or the one that is there, with what the file says, and nothing else."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.deploy.ems_documents import SERVERS_OWN, TEMPLATE
from xio_slurm.config.model import Config, Controllers, Workers
from xio_slurm.ems.documents import Document
from xio_slurm.errors import DeployError
from xio_slurm.plan.profile_document import OWNER_TAG, changed_profile, new_profile, owners


def new(config: Config, template: Document = TEMPLATE) -> Document:
    return new_profile(template, config.profiles[0], config, "lab")


def changed(existing: Document, config: Config, template: Document = TEMPLATE) -> Document:
    return changed_profile(existing, template, config.profiles[0], config, "lab")


def tags(part: Document) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in part["InstanceTags"]}


def test_a_new_profile_is_az1_with_what_the_file_says_and_without_what_the_server_writes(make: Any) -> None:
    before = copy.deepcopy(TEMPLATE)
    document = new(make.config())
    assert before == TEMPLATE
    assert not {"Id", *SERVERS_OWN} & document.keys()
    assert document["ProfileName"] == document["NodeGroupName"] == "amd"
    assert document["MaxControllers"] == 10
    assert document["Worker"]["InstanceTypes"] == document["Worker"]["SpotFleetTypes"] == ["c5a"]
    assert document["Xspot"] == {"EnableHyperthreading": False, "EnableBalloon": True}
    for role in ("Controller", "Worker"):
        assert tags(document[role]) == {
            "Name": f"xio-{role.lower()}-amd",
            "exostellar.xspot-role": f"xspot-{role.lower()}",
            OWNER_TAG: "lab",
        }
    untouched = ("AvailabilityZone", "Region", "EnableIO", "LogPath", "XspotVersion")
    assert {key: document[key] for key in untouched} == {key: TEMPLATE[key] for key in untouched}
    assert document["Controller"]["VolumeSize"] == 100


def test_the_name_on_the_ems_is_prefixed_where_the_file_asks_for_it_and_xwo_has_names_of_its_own(make: Any) -> None:
    config = make.config(plugin=replace(make.plugin(), prefix_profiles=True), product="xwo", cluster="lab-1")
    document = new(config)
    assert document["ProfileName"] == "lab1amd"
    assert document["NodeGroupName"] == "lab1amd"
    assert tags(document["Controller"])["Name"] == "xwo-controller-lab1amd"
    assert tags(document["Worker"])["Name"] == "xwo-worker-lab1amd"


def test_what_the_file_has_for_controllers_and_workers_stands_before_the_templates(make: Any) -> None:
    config = make.config(
        controllers=Controllers("ami-c", ("sg-00000000000000001", "sg-c"), "role-c", "c6i.xlarge"),
        workers=Workers("ami-w", ("sg-w",), "role-w"),
    )
    document = new(config)
    controller, worker = document["Controller"], document["Worker"]
    assert (controller["ImageId"], controller["IdentityRole"], controller["InstanceType"]) == (
        "ami-c",
        "role-c",
        "c6i.xlarge",
    )
    assert controller["SecurityGroupIds"] == ["sg-00000000000000001", "sg-c"]
    assert (worker["ImageId"], worker["IdentityRole"]) == ("ami-w", "role-w")
    assert worker["SecurityGroupIds"] == ["sg-00000000000000001", "sg-w"]


def test_an_existing_profile_keeps_what_nobody_names_at_every_depth(make: Any) -> None:
    existing = copy.deepcopy(TEMPLATE) | {"Id": "7", "ProfileName": "amd", "New": {"Deep": [1, {"er": None}]}}
    existing["Controller"] |= {"Own": 1, "SecurityGroupIds": ["sg-b", "sg-a"], "InstanceType": "m5.large"}
    existing["Controller"]["InstanceTags"] = [{"Key": "Cost", "Value": "7"}, {"Key": "Name", "Value": "x", "More": 1}]
    existing["Xspot"]["Own"] = "kept"
    before = copy.deepcopy(existing)
    document = changed(existing, make.config())
    assert existing == before
    assert document["Id"] == "7"
    assert document["New"] == {"Deep": [1, {"er": None}]}
    assert document["Controller"]["Own"] == 1
    assert document["Controller"]["InstanceType"] == "m5.large"
    assert document["Controller"]["SecurityGroupIds"] == ["sg-b", "sg-a", "sg-00000000000000001"]
    assert document["Controller"]["InstanceTags"] == [
        {"Key": "Cost", "Value": "7"},
        {"Key": "Name", "Value": "xio-controller-amd", "More": 1},
        {"Key": OWNER_TAG, "Value": "lab"},
    ]
    assert document["Xspot"]["Own"] == "kept"
    assert not SERVERS_OWN.keys() & document.keys()


def test_the_amis_of_an_existing_profile_follow_the_template(make: Any) -> None:
    existing = copy.deepcopy(TEMPLATE)
    existing["Controller"]["ImageId"] = existing["Worker"]["ImageId"] = "ami-old"
    document = changed(existing, make.config())
    assert document["Controller"]["ImageId"] == TEMPLATE["Controller"]["ImageId"]
    assert document["Worker"]["ImageId"] == TEMPLATE["Worker"]["ImageId"]


@pytest.mark.parametrize("spelling", ["IdentityRole", "IamInstanceProfile"])
def test_the_role_is_set_under_the_spelling_that_the_document_has(make: Any, spelling: str) -> None:
    existing = copy.deepcopy(TEMPLATE)
    for part in ("Controller", "Worker"):
        del existing[part]["IdentityRole"]
        existing[part][spelling] = "old"
    config = make.config(controllers=Controllers(None, (), "new", None), workers=Workers(None, (), "new"))
    for part in ("Controller", "Worker"):
        section = changed(existing, config)[part]
        assert [key for key in ("IdentityRole", "IamInstanceProfile") if key in section] == [spelling]
        assert section[spelling] == "new"


def test_a_document_that_has_no_role_gets_todays_spelling(make: Any) -> None:
    template = copy.deepcopy(TEMPLATE)
    del template["Controller"]["IdentityRole"]
    config = make.config(controllers=Controllers(None, (), "new", None))
    assert new(config, template)["Controller"]["IdentityRole"] == "new"


def test_an_existing_profiles_missing_sections_are_made_of_the_template(make: Any) -> None:
    existing = {"Id": "7", "ProfileName": "amd", "Controller": {"InstanceTags": None, "SecurityGroupIds": None}}
    before = copy.deepcopy(TEMPLATE)
    document = changed(existing, make.config())
    assert before == TEMPLATE
    assert document["Worker"]["SubnetId"] == TEMPLATE["Worker"]["SubnetId"]
    assert document["Xspot"] == {"EnableHyperthreading": False, "EnableBalloon": True}
    assert tags(document["Controller"])["exostellar.xspot-role"] == "xspot-controller"
    assert document["Controller"]["SecurityGroupIds"] == ["sg-00000000000000001"]


def test_a_template_without_xspot_gets_one(make: Any) -> None:
    template = {key: value for key, value in TEMPLATE.items() if key != "Xspot"}
    assert new(make.config(), template)["Xspot"] == {"EnableHyperthreading": False}


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("Controller", None, "no Controller"),
        ("Worker", None, "no Worker"),
        ("Controller", [], "Controller is a list"),
        ("Worker", "m5", "Worker is a text"),
        ("Xspot", 1, "Xspot is a number"),
        ("Controller", {"InstanceTags": {"Name": "x"}}, "Controller.InstanceTags is an object"),
        ("Worker", {"SecurityGroupIds": "sg-1"}, "Worker.SecurityGroupIds is a text"),
        ("Worker", {"IdentityRole": {"Arn": "x"}}, "Worker.IdentityRole is no text"),
    ],
)
def test_what_cannot_be_edited_is_one_line(make: Any, part: str, value: Any, words: str) -> None:
    config = make.config(workers=Workers(None, (), "role"))
    with pytest.raises(DeployError, match=words) as raised:
        new(config, TEMPLATE | {part: value})
    assert "\n" not in str(raised.value)


def test_types_in_another_order_are_the_same(make: Any) -> None:
    config = make.config()
    profile = replace(config.profiles[0], instance_types=("a:1", "b:2"), spot_fleet_types=("a", "b"))
    existing = copy.deepcopy(TEMPLATE)
    existing["Worker"] |= {"InstanceTypes": ["b:2", "a:1"], "SpotFleetTypes": ["b", "a:1"]}
    document = changed_profile(existing, TEMPLATE, profile, config, "lab")
    assert document["Worker"]["InstanceTypes"] == ["b:2", "a:1"]
    assert document["Worker"]["SpotFleetTypes"] == ["a", "b"]


@pytest.mark.parametrize(
    ("controller", "worker", "expected"),
    [
        ({}, {}, set()),
        ({"InstanceTags": [{"Key": OWNER_TAG, "Value": "a"}]}, {"InstanceTags": None}, {"a"}),
        ([], {"InstanceTags": [7, {"Key": OWNER_TAG, "Value": "b"}]}, {"b"}),
        ({"InstanceTags": [{"Key": OWNER_TAG, "Value": "a"}]}, {"InstanceTags": [{"Key": OWNER_TAG}]}, {"a", "None"}),
    ],
)
def test_a_profile_is_of_the_clusters_in_its_tags(controller: Any, worker: Any, expected: set[str]) -> None:
    assert owners({"Controller": controller, "Worker": worker}) == expected


def in_other_capitals(document: Document) -> Document:
    """The profile as an EMS of another version spells it."""
    other = copy.deepcopy(document)
    for part in ("Controller", "Worker"):
        other[part]["SecurityGroupIDs"] = other[part].pop("SecurityGroupIds")
        other[part]["ImageID"] = other[part].pop("ImageId")
        other[part]["instanceTags"] = other[part].pop("InstanceTags")
    other["XSpot"] = other.pop("Xspot")
    return other


@pytest.mark.parametrize("existing", [None, "of the template's spelling", "of today's spelling"])
def test_a_key_in_other_capitals_is_the_same_key(make: Any, existing: str | None) -> None:
    config = make.config(controllers=Controllers("ami-mine", ("sg-mine",), None, None))
    template = in_other_capitals(TEMPLATE)
    if existing is None:
        document = new(config, template)
    else:
        document = changed(TEMPLATE if "today's" in existing else template, config, template)
    for part in (document, document["Controller"], document["Worker"]):
        assert len({key.casefold() for key in part}) == len(part)
    ids, image, tags = ("SecurityGroupIds", "ImageId", "InstanceTags")
    if existing is None or "template" in existing:
        ids, image, tags = ("SecurityGroupIDs", "ImageID", "instanceTags")
    assert document["Controller"][ids] == ["sg-00000000000000001", "sg-mine"]
    assert document["Controller"][image] == "ami-mine"
    assert document["Worker"][image] == TEMPLATE["Worker"]["ImageId"]
    assert owners(document) == {"lab"}
    assert document["Controller"][tags][-1] == {"Key": OWNER_TAG, "Value": "lab"}


def test_no_empty_list_is_put_where_no_group_joins(make: Any) -> None:
    template = copy.deepcopy(TEMPLATE)
    for part in ("Controller", "Worker"):
        del template[part]["SecurityGroupIds"]
    assert "SecurityGroupIds" not in new(make.config(), template)["Worker"]
