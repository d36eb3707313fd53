"""Profiles, environments and images; parse jobs."""

from typing import Any

import pytest

from tests.contract.emulator.conftest import Client
from xio_slurm.emulator import Emulator

KINDS = [
    pytest.param("/v1/profile", "Profiles", "ProfileName", "amd", id="profile"),
    pytest.param("/v1/env", "Environments", "EnvName", "cluster", id="env"),
    pytest.param("/v1/image", "Images", "ImageName", "rhel8", id="image"),
]
AMI = {
    "ImageId": "ami-1",
    "ImageName": "rhel8",
    "Description": "RHEL 8",
    "User": "root",
    "UserData": "",
    "UserKeyPem": "a secret",
}


SERVERS_OWN = {"Arbiter", "Manufacturer", "MeteringList", "Status"}


def new(client: Client, key: str, name: str, **more: Any) -> dict[str, Any]:
    """A document that can be made: profiles are made from az1."""
    template: dict[str, Any] = client.get("/v1/profile/az1").json() if key == "ProfileName" else {}
    return {**{at: value for at, value in template.items() if at not in {"Id", *SERVERS_OWN}}, key: name, **more}


def without_own(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in SERVERS_OWN}


@pytest.mark.parametrize(("path", "plural", "key", "name"), KINDS)
def test_a_document_lives(client: Client, path: str, plural: str, key: str, name: str) -> None:
    before = client.get(f"{path}s").json()[plural]
    assert client.get(f"{path}/{name}").status_code == 404
    wanted = new(client, key, name, Unheard={"Of": [1, None]})
    created = client.post(path, wanted)
    assert created.status_code == 200
    document = client.get(f"{path}/{name}").json()
    assert without_own(document) == {"Id": created.json()["Id"], **wanted}
    assert client.get(f"{path}s").json()[plural] == [*before, document]
    updated = client.put(path, {**document, "More": 1})
    assert (updated.status_code, updated.json()) == (200, {"Id": document["Id"]})
    assert client.get(f"{path}/{name}").json() == {**document, "More": 1}
    assert client.delete(f"{path}/{name}").status_code == 200
    assert client.get(f"{path}/{name}").status_code == 404
    assert client.delete(f"{path}/{name}").status_code == 404
    assert client.get(f"{path}s").json()[plural] == before


@pytest.mark.parametrize(("path", "plural", "key", "name"), KINDS)
def test_wrong_documents_are_refused(client: Client, path: str, plural: str, key: str, name: str) -> None:
    wanted = new(client, key, name)
    known = client.post(path, wanted).json()["Id"]
    other = client.post(path, {**wanted, key: "other"}).json()["Id"]
    before = client.get(f"{path}s").json()[plural]
    refused: list[tuple[str, dict[str, Any], int]] = [
        ("POST", {}, 400),
        ("POST", {**wanted, key: 7}, 400),
        ("POST", {**wanted, key: ""}, 400),
        ("POST", wanted, 400),
        ("POST", {**wanted, key: "new", "Id": known}, 400),
        ("PUT", wanted, 400),
        ("PUT", {**wanted, "Id": "no-such-id"}, 404),
        ("PUT", {**wanted, "Id": 7}, 400),
        ("PUT", {**wanted, "Id": other}, 400),
    ]
    for method, body, status in refused:
        answer = client.call(method, path, body)
        assert answer.status_code == status, (method, body)
        assert answer.json()["Error"]
    assert client.get(f"{path}s").json()[plural] == before


@pytest.mark.parametrize(("path", "plural", "key", "name"), KINDS)
def test_a_put_can_rename(client: Client, path: str, plural: str, key: str, name: str) -> None:
    wanted = new(client, key, name)
    created = client.post(path, wanted).json()["Id"]
    assert client.put(path, {**wanted, key: "other", "Id": created}).status_code == 200
    assert client.get(f"{path}/{name}").status_code == 404
    assert client.get(f"{path}/other").json()["Id"] == created


def test_there_is_an_az1_to_begin_with(client: Client) -> None:
    az1 = client.get("/v1/profile/az1").json()
    assert {"Id", "Arbiter", "MeteringList", "Manufacturer", "Status", "XspotVersion"} <= set(az1)
    roles = {tag["Value"] for part in ("Controller", "Worker") for tag in az1[part]["InstanceTags"]}
    assert {"xspot-controller", "xspot-worker"} <= roles
    assert az1["Worker"]["InstanceTypes"] == ["m5:0", "m6i:1"]


def test_a_profile_can_be_made_from_az1(client: Client) -> None:
    az1 = client.get("/v1/profile/az1").json()
    assert client.post("/v1/profile", new(client, "ProfileName", "amd", MaxControllers=3)).status_code == 200
    amd = client.get("/v1/profile/amd").json()
    assert amd["Worker"] == az1["Worker"]
    assert {key: amd[key] for key in SERVERS_OWN} == {key: az1[key] for key in SERVERS_OWN}


@pytest.mark.parametrize(
    "change",
    [{"ProfileName": "a-b"}, {"MaxControllers": "10"}, {"Worker": {"InstanceTypes": "m5"}}, {"Controller": []}],
)
def test_a_profile_of_wrong_types_is_refused(client: Client, change: dict[str, Any]) -> None:
    assert client.post("/v1/profile", {**new(client, "ProfileName", "amd"), **change}).status_code == 400
    assert client.get("/v1/profile/amd").status_code == 404


@pytest.mark.parametrize("refuses", [True, False])
def test_a_profile_with_vms_can_not_be_changed(ems_emulator: Emulator, client: Client, refuses: bool) -> None:
    ems_emulator.change(busy_profile="refuse" if refuses else "allow")
    az1 = client.get("/v1/profile/az1").json()
    client.create()
    assert client.put("/v1/profile", az1).status_code == (409 if refuses else 200)
    client.delete("/v1/xcompute/vm/n-1")
    assert client.put("/v1/profile", az1).status_code == 200


def test_an_environment_of_wrong_types_is_refused(client: Client) -> None:
    vm = {"CPUs": 1, "ImageName": "i", "MaxMemory": 100}
    pool = {"PoolName": "a", "PoolSize": 1, "ProfileName": "az1", "VM": vm}
    assert client.post("/v1/env", {"EnvName": "good", "Pools": [pool]}).status_code == 200
    for wrong in ({**pool, "PoolSize": "1"}, {**pool, "VM": {**vm, "CPUs": "1"}}, {"PoolName": "a"}):
        assert client.post("/v1/env", {"EnvName": "bad", "Pools": [wrong]}).status_code == 400
    assert client.get("/v1/env/bad").status_code == 404


def test_an_environment_must_speak_of_known_things_where_asked(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(require_known=True)
    vm = {"CPUs": 1, "ImageName": "rhel8", "MaxMemory": 100}
    env = {"EnvName": "c", "Pools": [{"PoolName": "a", "PoolSize": 1, "ProfileName": "az1", "VM": vm}]}
    assert "no image rhel8" in client.post("/v1/env", env).json()["Error"]
    client.post("/v1/image", {"ImageName": "rhel8"})
    assert client.post("/v1/env", env).status_code == 200


# What must come back


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at the path; None takes the key away."""
    key, _, rest = path.partition(".")
    if rest:
        return {**document, key: changed(document[key], rest, value)}
    return {**{at: kept for at, kept in document.items() if at != key}, **({} if value is None else {key: value})}


LOST = {
    "a key": ("LogPath", None, "LogPath"),
    "a key that nobody knows": ("Unheard", None, "Unheard"),
    "a deep key": ("Controller.SubnetId", None, "Controller.SubnetId"),
    "a part": ("Worker", None, "Worker"),
    "a part that is no part any more": ("Xspot", True, "Xspot"),
    "a tag": (
        "Worker.InstanceTags",
        [{"Key": "Name", "Value": "w"}],
        "Worker.InstanceTags[exostellar.xspot-role]",
    ),
    "a tag's value": (
        "Worker.InstanceTags",
        [{"Key": "Name"}, {"Key": "exostellar.xspot-role", "Value": "xspot-worker"}],
        "Worker.InstanceTags[Name].Value",
    ),
    "a security group": (
        "Controller.SecurityGroupIds",
        ["sg-2"],
        "Controller.SecurityGroupIds[sg-00000000000000001]",
    ),
}


@pytest.mark.parametrize("what", LOST)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_profile_that_has_lost_something_is_refused(
    ems_emulator: Emulator, client: Client, method: str, what: str
) -> None:
    path, value, told = LOST[what]
    az1 = client.get("/v1/profile/az1").json()
    assert client.put("/v1/profile", {**az1, "Unheard": 1}).status_code == 200
    whole = new(client, "ProfileName", "amd") if method == "POST" else {**az1, "Unheard": 1}
    before = client.get("/v1/profiles").json()
    refused = client.call(method, "/v1/profile", changed(whole, path, value))
    assert (refused.status_code, refused.json()["Error"].rpartition(" ")[2]) == (400, told)
    assert client.get("/v1/profiles").json() == before
    ems_emulator.change(lost_keys="allow")
    assert client.call(method, "/v1/profile", changed(whole, path, value)).status_code == 200


def test_what_is_added_or_changed_is_no_loss(client: Client) -> None:
    az1 = client.get("/v1/profile/az1").json()
    tags = [{"Key": "Mine", "Value": "1"}, *az1["Worker"]["InstanceTags"]]
    groups = ["sg-2", *az1["Worker"]["SecurityGroupIds"]]
    worker = {**az1["Worker"], "InstanceTypes": ["c5:0"], "InstanceTags": tags, "SecurityGroupIds": groups}
    assert client.put("/v1/profile", {**az1, "Worker": worker, "MaxControllers": 1}).status_code == 200
    assert client.get("/v1/profile/az1").json() == {**az1, "Worker": worker, "MaxControllers": 1}


@pytest.mark.parametrize("key", sorted(SERVERS_OWN))
def test_what_is_the_servers_own_stays_so(client: Client, key: str) -> None:
    az1 = client.get("/v1/profile/az1").json()
    profile = new(client, "ProfileName", "amd")
    assert f"{key} is the EMS's own" in client.post("/v1/profile", {**profile, key: az1[key]}).json()["Error"]
    assert f"{key} is the EMS's own" in client.put("/v1/profile", {**az1, key: "mine"}).json()["Error"]
    assert client.put("/v1/profile", changed(az1, key, None)).status_code == 200
    assert client.get("/v1/profile/az1").json() == az1


def test_without_az1_a_profile_can_be_anything(client: Client) -> None:
    client.delete("/v1/profile/az1")
    assert client.post("/v1/profile", {"ProfileName": "amd"}).status_code == 200


def test_an_environment_may_lose_pools_but_no_key_of_one_that_stays(client: Client) -> None:
    vm = {"CPUs": 1, "ImageName": "i", "MaxMemory": 100, "PrefixCount": 0}
    pools = [{"PoolName": name, "PoolSize": 1, "ProfileName": "az1", "VM": vm} for name in "abc"]
    client.post("/v1/env", {"EnvName": "c", "Slurm": {"BinPath": "/b", "ConfPath": "/c"}, "Pools": pools})
    env = client.get("/v1/env/c").json()
    short = {**pools[1], "VM": {key: value for key, value in vm.items() if key != "PrefixCount"}}
    refused = client.put("/v1/env", {**env, "Pools": [pools[2], short]})
    assert refused.json()["Error"] == "environment c: has lost Pools[b].VM.PrefixCount"
    assert client.put("/v1/env", changed(env, "Slurm.BinPath", None)).status_code == 400
    pruned = {**env, "Pools": [pools[2], {**pools[0], "PoolSize": 9}]}
    assert client.put("/v1/env", pruned).status_code == 200
    assert client.get("/v1/env/c").json() == pruned


# Images


def test_an_image_can_be_renamed_or_not(ems_emulator: Emulator, client: Client) -> None:
    client.post("/v1/image", {"ImageName": "rhel8", "ImageId": "ami-1"})
    image = client.get("/v1/image/rhel8").json()
    ems_emulator.change(image_rename="refuse")
    refused = client.put("/v1/image", {**image, "ImageName": "old"})
    assert (refused.status_code, refused.json()["Error"]) == (400, "image rhel8 can't be renamed")
    assert client.put("/v1/image", {**image, "Description": "same name"}).status_code == 200
    assert client.get("/v1/image/old").status_code == 404


def test_an_image_may_keep_its_ami_to_itself(ems_emulator: Emulator, client: Client) -> None:
    client.post("/v1/image", {"ImageName": "rhel8", "ImageId": "ami-1", "Description": "RHEL 8"})
    ems_emulator.change(image_fields=())
    image = client.get("/v1/image/rhel8").json()
    assert image.keys() == {"Id", "ImageName", "Description"}
    assert client.get("/v1/images").json()["Images"] == [image]
    assert client.put("/v1/image", image).status_code == 200  # what it never gave can't be lost


def test_an_image_that_a_pool_uses_can_be_deleted_or_not(ems_emulator: Emulator, client: Client) -> None:
    vm = {"CPUs": 1, "ImageName": "rhel8", "MaxMemory": 100}
    pool = {"PoolName": "a", "PoolSize": 1, "ProfileName": "az1", "VM": vm}
    client.post("/v1/env", {"EnvName": "c", "Pools": [pool]})
    for name in ("rhel8", "rhel9"):
        client.post("/v1/image", {"ImageName": name})
    ems_emulator.change(image_delete="refuse-in-use")
    refused = client.delete("/v1/image/rhel8")
    assert (refused.status_code, refused.json()["Error"]) == (409, "image rhel8 is used by pool a of c")
    assert client.delete("/v1/image/rhel9").status_code == 200
    ems_emulator.change(image_delete="allow")
    assert client.delete("/v1/image/rhel8").status_code == 200


# Parse jobs


def finished(emulator: Emulator, client: Client, job: str) -> tuple[int, Any]:
    emulator.wait_until(lambda: client.get(f"/v1/xcompute/parse/{job}").status_code != 102)
    answer = client.get(f"/v1/xcompute/parse/{job}")
    return answer.status_code, answer.json()


def test_a_parse_makes_an_image(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(parse_seconds=0.3)
    job = client.post("/v1/xcompute/parse", AMI).json()["JobId"]
    running = client.get(f"/v1/xcompute/parse/{job}")
    assert (running.status_code, running.content) == (102, b"")
    assert client.get("/v1/image/rhel8").status_code == 404
    assert finished(ems_emulator, client, job)[0] == 200
    image = client.get("/v1/image/rhel8").json()
    assert image["ImageId"] == "ami-1"
    assert "a secret" not in str(image)
    assert [each["ImageName"] for each in client.get("/v1/images").json()["Images"]] == ["rhel8"]


def test_a_parse_of_an_existing_image_fails_with_201(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(parse_seconds=0)
    client.post("/v1/image", {"ImageName": "rhel8"})
    job = client.post("/v1/xcompute/parse", AMI).json()["JobId"]
    status, body = finished(ems_emulator, client, job)
    assert status == 400
    assert body["Error"].endswith("=201")


def test_of_two_parses_of_one_name_the_second_fails(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(parse_seconds=0.05)
    jobs = [client.post("/v1/xcompute/parse", AMI).json()["JobId"] for _ in range(2)]
    assert [finished(ems_emulator, client, job)[0] for job in jobs] == [200, 400]


@pytest.mark.parametrize("code", [202, 203, 250])
def test_a_parse_can_fail_for_the_ami(ems_emulator: Emulator, client: Client, code: int) -> None:
    ems_emulator.change(parse_seconds=0)
    ems_emulator.add_fault(effect="parse-fails", code=code)
    job = client.post("/v1/xcompute/parse", AMI).json()["JobId"]
    status, body = finished(ems_emulator, client, job)
    assert status == 400
    assert body["Error"].endswith(f"={code}")
    assert client.get("/v1/image/rhel8").status_code == 404


def test_a_parse_can_run_for_ever(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(parse_seconds=0)
    ems_emulator.add_fault(effect="parse-never-ends", times=1)
    jobs = [client.post("/v1/xcompute/parse", AMI).json()["JobId"] for _ in range(2)]
    assert finished(ems_emulator, client, jobs[1])[0] == 200
    assert client.get(f"/v1/xcompute/parse/{jobs[0]}").status_code == 102


def test_an_unknown_parse_job_is_404(client: Client) -> None:
    assert client.get("/v1/xcompute/parse/none").status_code == 404


@pytest.mark.parametrize("change", [{"ImageId": None}, {"ImageName": 7}, {"ImageName": ""}])
def test_a_parse_of_wrong_types_is_refused(client: Client, change: dict[str, Any]) -> None:
    assert client.post("/v1/xcompute/parse", {**AMI, **change}).status_code == 400
