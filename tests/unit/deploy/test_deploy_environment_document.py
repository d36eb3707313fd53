"""What the cluster's environment should be."""

import copy
from typing import Any

import pytest

from tests.unit.deploy.ems_documents import HEAD, environment, pool
from xio_slurm.config.model import Config
from xio_slurm.ems.documents import Document
from xio_slurm.errors import DeployError
from xio_slurm.plan.environment_document import changed_environment, new_environment


def changed(existing: Document, config: Config, *removed: str) -> Document:
    return changed_environment(existing, config, HEAD, removed=frozenset(removed))


def test_a_new_environment_has_the_pools_and_the_head(make: Any) -> None:
    assert new_environment(make.config(make.pool("a"), make.pool("b", min_memory=7000)), HEAD) == {
        "EnvName": "lab",
        "Type": "slurm",
        "HeadAddress": "head.example.com",
        "Pools": [
            {
                "PoolName": name,
                "PoolSize": 10,
                "ProfileName": "amd",
                "VM": {
                    "CPUs": 24,
                    "ImageName": "rhel8",
                    "MaxMemory": 7200,
                    "VolumeSize": 10,
                    "PrefixCount": 0,
                    "UserData": "",
                    **least,
                },
            }
            for name, least in (("a", {}), ("b", {"MinMemory": 7000}))
        ],
        "Slurm": {"BinPath": "/opt/slurm/bin", "ConfPath": "/opt/slurm/etc", "PartitionName": "xio"},
    }


def test_an_existing_environment_keeps_what_nobody_names_at_its_pools_and_their_vms_too(make: Any) -> None:
    existing = environment("lab", pool("z", "old"), pool("a", "old", Own=1), Further=[1], Slurm={"Own": 2})
    existing["Pools"][1]["VM"] |= {"UserData": "theirs", "PrefixCount": 3, "Own": {"x": None}}
    before = copy.deepcopy(existing)
    document = changed(existing, make.config(make.pool("a"), make.pool("n")))
    assert existing == before
    assert [each["PoolName"] for each in document["Pools"]] == ["z", "a", "n"]
    kept = document["Pools"][1]
    assert (document["Id"], document["Further"], document["Slurm"]["Own"], kept["Own"]) == ("id-lab", [1], 2, 1)
    assert (kept["PoolSize"], kept["ProfileName"]) == (10, "amd")
    assert kept["VM"] == {
        "CPUs": 24,
        "ImageName": "rhel8",
        "MaxMemory": 7200,
        "VolumeSize": 10,
        "PrefixCount": 3,
        "UserData": "theirs",
        "Own": {"x": None},
    }
    assert document["Pools"][0] == existing["Pools"][0]


def test_only_the_pools_that_are_told_to_go_go(make: Any) -> None:
    existing = environment("lab", pool("y", "p"), pool("z", "p"), pool("a", "p"))
    assert [each["PoolName"] for each in changed(existing, make.config(make.pool("a")), "z")["Pools"]] == ["y", "a"]


@pytest.mark.parametrize(("least", "expected"), [(500, 500), (9000, 7200), (0, 0), (None, None)])
def test_a_min_memory_that_the_file_has_not_is_kept_unless_it_is_above_the_most(
    make: Any, least: int | None, expected: int | None
) -> None:
    existing = environment("lab", pool("a", "amd"))
    existing["Pools"][0]["VM"]["MinMemory"] = least
    assert changed(existing, make.config(make.pool("a")))["Pools"][0]["VM"]["MinMemory"] == expected


def test_missing_parts_are_made_and_entries_that_are_no_pools_left(make: Any) -> None:
    document = changed(
        {"Id": "7", "Pools": [7, {"No": "name"}, {"PoolName": "a", "VM": None}]}, make.config(make.pool("a"))
    )
    assert document["Pools"][:2] == [7, {"No": "name"}]
    assert document["Pools"][2]["VM"]["PrefixCount"] == 0
    assert document["Slurm"]["BinPath"] == "/opt/slurm/bin"
    assert changed({"Pools": None}, make.config())["Pools"][0]["PoolName"] == "amd-8-gb-1-cores"


@pytest.mark.parametrize(
    ("existing", "words"),
    [
        ({"Pools": {}}, "Pools is an object, where a list is expected"),
        ({"Slurm": "x"}, "Slurm is a text"),
        ({"Pools": [{"PoolName": "a", "VM": []}]}, r"Pools\[a\].VM is a list"),
    ],
)
def test_what_cannot_be_edited_is_one_line(make: Any, existing: Document, words: str) -> None:
    with pytest.raises(DeployError, match=words):
        changed(existing, make.config(make.pool("a")))
