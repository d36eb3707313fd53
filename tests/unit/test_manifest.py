"""The manifest says whose a node is, and a bad one is told in one line."""

import json
from pathlib import Path

import pytest
from msgspec import structs

from xio_slurm.errors import ManifestError
from xio_slurm.manifest import Delegates, Manifest, Mount, Pool

POOL = Pool("amd-8-gb-1-cores", "amd", "image", 10, 1, 7200, None, 10)
MANIFEST = Manifest(
    product="xio",
    cluster="lab",
    node_prefix="xspot-vm-",
    ems_url="http://127.0.0.1:5000",
    connect_timeout=5,
    read_timeout=30,
    max_concurrent_requests=32,
    state_dir="/var/lib/xio",
    log_dir="/var/log/xio",
    slurm_bin_dir="/usr/bin",
    resume_timeout=600,
    suspend_timeout=120,
    delegates=Delegates("/opt/resume", None, None),
    mounts=(Mount("/tools", "nas:/tools", "nfs", "ro"),),
    vm_hook_script=None,
    user_data="#!/bin/sh\n",
    pools=(POOL, structs.replace(POOL, name="amd-8", size=1)),
)


def test_what_was_written_is_read() -> None:
    assert Manifest.from_json(MANIFEST.to_json(), "manifest.json") == MANIFEST


@pytest.mark.parametrize(
    ("node", "pool"),
    [
        ("xspot-vm-amd-8-gb-1-cores-1", "amd-8-gb-1-cores"),
        ("xspot-vm-amd-8-gb-1-cores-10", "amd-8-gb-1-cores"),
        ("xspot-vm-amd-8-gb-1-cores-11", None),
        ("xspot-vm-amd-8-gb-1-cores-0", None),
        ("xspot-vm-amd-8-1", "amd-8"),
        ("xspot-vm-amd-8-2", None),
        ("xspot-vm-other-1", None),
        ("amd-8-1", None),
    ],
)
def test_a_node_is_ours_when_a_pool_holds_its_number(node: str, pool: str | None) -> None:
    found = MANIFEST.pool_of(node)
    assert (found.name if found else None) == pool


def test_keys_of_a_newer_release_are_left_alone() -> None:
    document = json.loads(MANIFEST.to_json())
    document["new"] = 1
    document["pools"][0]["new"] = 1
    assert Manifest.from_json(json.dumps(document), "manifest.json") == MANIFEST


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"version": 1}', '{"version": 1, "pools": [3]}'])
def test_what_is_no_manifest_is_one_line(text: str) -> None:
    with pytest.raises(ManifestError, match=r"manifest.json: is no manifest .*: run 'xio generate' again") as caught:
        Manifest.from_json(text, "manifest.json")
    assert "\n" not in str(caught.value)


def test_another_version_is_told() -> None:
    with pytest.raises(ManifestError, match=r"was written by another version of xio-slurm .*Invalid value 2"):
        Manifest.from_json('{"version": 2}', "manifest.json")


def test_a_value_of_a_wrong_type_is_told_with_its_key() -> None:
    document = json.loads(MANIFEST.to_json())
    document["pools"][1]["size"] = "many"
    with pytest.raises(ManifestError, match=r"is no manifest \(Expected `int`, got `str` - at `\$.pools\[1\].size`\)"):
        Manifest.from_json(json.dumps(document), "manifest.json")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="there is no manifest: 'xio apply' writes it"):
        Manifest.read(str(tmp_path / "manifest.json"))


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="can't be read: Is a directory"):
        Manifest.read(str(tmp_path))
