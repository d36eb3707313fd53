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


@pytest.mark.parametrize(("path", "plural", "key", "name"), KINDS)
def test_a_document_lives(client: Client, path: str, plural: str, key: str, name: str) -> None:
    before = client.get(f"{path}s").json()[plural]
    assert client.get(f"{path}/{name}").status_code == 404
    created = client.post(path, {key: name, "Unheard": {"Of": [1, None]}})
    assert created.status_code == 200
    document = client.get(f"{path}/{name}").json()
    assert document == {"Id": created.json()["Id"], key: name, "Unheard": {"Of": [1, None]}}
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
    before = client.get(f"{path}s").json()[plural]
    known = client.post(path, {key: name}).json()["Id"]
    other = client.post(path, {key: "other"}).json()["Id"]
    refused: list[tuple[str, dict[str, Any], int]] = [
        ("POST", {}, 400),
        ("POST", {key: 7}, 400),
        ("POST", {key: ""}, 400),
        ("POST", {key: name}, 400),
        ("POST", {key: "new", "Id": known}, 400),
        ("PUT", {key: name}, 400),
        ("PUT", {key: name, "Id": "no-such-id"}, 404),
        ("PUT", {key: name, "Id": 7}, 400),
        ("PUT", {key: name, "Id": other}, 400),
    ]
    for method, body, status in refused:
        answer = client.call(method, path, body)
        assert answer.status_code == status, (method, body)
        assert answer.json()["Error"]
    assert client.get(f"{path}s").json()[plural] == [*before, {"Id": known, key: name}, {"Id": other, key: "other"}]


@pytest.mark.parametrize(("path", "plural", "key", "name"), KINDS)
def test_a_put_can_rename(client: Client, path: str, plural: str, key: str, name: str) -> None:
    created = client.post(path, {key: name}).json()["Id"]
    assert client.put(path, {key: "other", "Id": created}).status_code == 200
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
    drop = {"Id", "Arbiter", "MeteringList", "Manufacturer", "Status"}
    amd = {**{key: value for key, value in az1.items() if key not in drop}, "ProfileName": "amd", "MaxControllers": 3}
    assert client.post("/v1/profile", amd).status_code == 200
    assert client.get("/v1/profile/amd").json()["Worker"] == az1["Worker"]


@pytest.mark.parametrize(
    "change",
    [{"ProfileName": "a-b"}, {"MaxControllers": "10"}, {"Worker": {"InstanceTypes": "m5"}}, {"Controller": []}],
)
def test_a_profile_of_wrong_types_is_refused(client: Client, change: dict[str, Any]) -> None:
    assert client.post("/v1/profile", {"ProfileName": "amd", **change}).status_code == 400
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


def test_an_unknown_parse_job_is_404(client: Client) -> None:
    assert client.get("/v1/xcompute/parse/none").status_code == 404


@pytest.mark.parametrize("change", [{"ImageId": None}, {"ImageName": 7}, {"ImageName": ""}])
def test_a_parse_of_wrong_types_is_refused(client: Client, change: dict[str, Any]) -> None:
    assert client.post("/v1/xcompute/parse", {**AMI, **change}).status_code == 400
