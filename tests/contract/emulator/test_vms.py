"""VMs: create, get, list, delete, and the readings of what nobody has seen an EMS do."""

import ipaddress
from typing import Any

import pytest

from tests.contract.emulator.conftest import Client, vm_body
from xio_slurm.emulator import Emulator


def is_up(client: Client, node: str = "n-1") -> bool:
    answer = client.vm(node)
    return answer.status_code == 200 and "PrivateIpAddress" in answer.json()["Vm"]


def test_a_vm_is_made_boots_and_is_deleted(ems_emulator: Emulator, client: Client) -> None:
    assert client.vm().status_code == 404
    created = client.create()
    assert created.status_code == 200
    assert created.json()["JobId"]
    ems_emulator.wait_until(lambda: is_up(client))
    vm = client.vm().json()
    assert set(vm) == {"NodeName", "Controller", "Vm"}
    assert vm["NodeName"] == "n-1"
    assert set(vm["Controller"]) == {"NodeName", "PrivateIpAddress"}
    assert client.vms() == [{"NodeName": "n-1"}]
    assert client.delete("/v1/xcompute/vm/n-1").status_code == 200
    assert client.vm().status_code == 404
    assert client.vms() == []


def test_a_vm_has_no_address_until_it_is_up(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(boot_seconds=3600)
    client.create()
    answer = client.vm()
    assert answer.status_code == 200
    assert answer.json()["Vm"] == {}


def test_a_booting_vm_is_answered_102_in_that_reading(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(boot_seconds=3600, booting_get=102)
    client.create()
    for _ in range(3):  # the connection is still good after a final 102
        answer = client.vm()
        assert (answer.status_code, answer.content) == (102, b"")


def test_the_boot_time_is_kept(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(boot_seconds=0.5)
    client.create()
    vm = ems_emulator.wait_until(lambda: [vm for vm in ems_emulator.vms() if vm.up])[0]
    assert vm.up is not None
    assert vm.up - vm.created >= 0.5


def test_addresses_are_loopback_and_unique(ems_emulator: Emulator, client: Client) -> None:
    for number in range(1, 301):
        assert client.create(f"n-{number}").status_code == 200
    ems_emulator.wait_until(lambda: all(vm.address for vm in ems_emulator.vms()))
    addresses = {vm.address for vm in ems_emulator.vms()}
    assert len(addresses) == 300
    assert all(ipaddress.ip_address(address or "") in ipaddress.ip_network("127.77.0.0/16") for address in addresses)
    assert client.vm().json()["Controller"]["PrivateIpAddress"] not in addresses


def test_an_address_is_used_again_only_when_its_vm_is_gone() -> None:
    with Emulator(boot_seconds=0, vm_addresses="127.78.9.0/29") as emulator:  # 6 addresses: a controller and 5 VMs
        client = Client(emulator.url)
        with client.session:
            for number in range(1, 7):
                client.create(f"n-{number}")
            emulator.wait_until(lambda: sum(is_up(client, vm.node) for vm in emulator.vms()) == 5)
            assert not is_up(client, "n-6")
            freed = client.vm("n-3").json()["Vm"]
            client.delete("/v1/xcompute/vm/n-3")
            emulator.wait_until(lambda: is_up(client, "n-6"))
            assert client.vm("n-6").json()["Vm"] == freed


def test_xwo_and_unknown_keys_are_taken(ems_emulator: Emulator, client: Client) -> None:
    assert client.create(EnableWO=True, PrefixEnabled=False, MinMemory=100, Novelty={"a": [1]}).status_code == 200
    assert ems_emulator.vms()[0].request["VM"]["Novelty"] == {"a": [1]}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"CPUs": "2"}, "VM.CPUs"),
        ({"CPUs": 2.5}, "VM.CPUs"),
        ({"CPUs": True}, "VM.CPUs"),
        ({"CPUs": None}, "VM.CPUs"),
        ({"MaxMemory": "7200"}, "VM.MaxMemory"),
        ({"MaxMemory": None}, "VM.MaxMemory"),
        ({"VolumeSize": "10"}, "VM.VolumeSize"),
        ({"ImageName": 7}, "VM.ImageName"),
        ({"EnableWO": "yes"}, "VM.EnableWO"),
        ({"PoolName": None}, "PoolName"),
        ({"ProfileName": 5}, "ProfileName"),
        ({"NodeName": None}, "NodeName"),
        ({"NodeName": ""}, "NodeName"),
        ({"NodeName": "../../etc"}, "NodeName"),
        ({"UserData": "no base64!"}, "UserData"),
        ({"UserData": "aGVs\nbG8="}, "UserData"),
    ],
)
def test_a_create_of_wrong_types_is_refused(
    ems_emulator: Emulator, client: Client, change: dict[str, Any], told: str
) -> None:
    answer = client.post(
        "/v1/xcompute/vm", vm_body(**{"node": "n-1", **change}) if "NodeName" not in change else {**vm_body(), **change}
    )
    assert answer.status_code == 400
    assert told in answer.json()["Error"]
    assert ems_emulator.vms() == []


@pytest.mark.parametrize("body", ["", "{", "[]", "7", '"text"', "null"])
def test_a_body_that_is_no_object_is_refused(client: Client, body: str) -> None:
    answer = client.session.post(f"{client.url}/v1/xcompute/vm", data=body, timeout=60)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["Error"]


def test_what_a_vm_speaks_of_must_exist_where_asked(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(require_known=True)
    assert "image rhel8" in client.create().json()["Error"]
    assert client.post("/v1/image", {"ImageName": "rhel8"}).status_code == 200
    assert "profile none" in client.create(ProfileName="none").json()["Error"]
    assert "pool a" in client.create().json()["Error"]
    pool = {"PoolName": "a", "PoolSize": 1, "ProfileName": "az1", "VM": vm_body()["VM"]}
    assert client.post("/v1/env", {"EnvName": "c", "Pools": [pool]}).status_code == 200
    assert client.create().status_code == 200


# The unknowns


def test_a_second_post_is_the_same_vm(ems_emulator: Emulator, client: Client) -> None:
    first, second = client.create(), client.create()
    assert second.status_code == 200
    assert first.json() == second.json()
    assert len(ems_emulator.vms()) == 1


def test_a_second_post_makes_a_second_vm(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(existing_vm="second", boot_seconds=0)
    assert client.create().json() != client.create().json()
    assert client.vms() == [{"NodeName": "n-1"}, {"NodeName": "n-1"}]
    ems_emulator.wait_until(lambda: is_up(client))
    assert client.delete("/v1/xcompute/vm/n-1").status_code == 200
    assert client.vm().status_code == 200
    assert client.delete("/v1/xcompute/vm/n-1").status_code == 200
    assert client.vm().status_code == 404


def test_a_delete_ends_both_twins_in_that_reading(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(existing_vm="second", twin_delete="all")
    client.create()
    client.create()
    client.delete("/v1/xcompute/vm/n-1")
    assert client.vms() == []


@pytest.mark.parametrize("code", [400, 409])
def test_a_second_post_is_refused(ems_emulator: Emulator, client: Client, code: int) -> None:
    ems_emulator.change(existing_vm=code)
    client.create()
    again = client.create()
    assert again.status_code == code
    assert "exists" in again.json()["Error"]
    assert len(ems_emulator.vms()) == 1


@pytest.mark.parametrize("code", [200, 404])
def test_a_delete_of_nothing(ems_emulator: Emulator, client: Client, code: int) -> None:
    ems_emulator.change(missing_delete=code)
    assert client.delete("/v1/xcompute/vm/none").status_code == code


@pytest.mark.parametrize("code", [200, 102])
def test_a_delete_can_run_on_after_its_answer(ems_emulator: Emulator, client: Client, code: int) -> None:
    ems_emulator.change(delete_seconds=3600, deleting_get=code)
    client.create()
    assert client.delete("/v1/xcompute/vm/n-1").status_code == 200
    assert client.vm().status_code == code
    assert client.vms() == [{"NodeName": "n-1"}]
    assert client.delete("/v1/xcompute/vm/n-1").status_code == 200
    assert [event.event for event in ems_emulator.history()].count("delete-asked") == 1


def test_a_slow_delete_ends_by_itself(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(delete_seconds=0.3)
    client.create()
    client.delete("/v1/xcompute/vm/n-1")
    ems_emulator.wait_until(lambda: client.vm().status_code == 404)
    vm = ems_emulator.all_vms()[0]
    assert vm.gone is not None
    assert vm.delete_asked is not None
    assert vm.gone - vm.delete_asked >= 0.3


def test_a_vm_deleted_while_booting_never_comes_up(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(boot_seconds=0.2, delete_seconds=0.5)
    client.create()
    client.delete("/v1/xcompute/vm/n-1")
    ems_emulator.wait_until(lambda: not ems_emulator.vms())
    assert [event.event for event in ems_emulator.history()] == ["vm-asked", "delete-asked", "vm-gone"]


def test_lists_and_details_tell_what_the_settings_say(ems_emulator: Emulator, client: Client) -> None:
    pool = {"PoolName": "a", "PoolSize": 1, "ProfileName": "az1", "VM": vm_body()["VM"]}
    client.post("/v1/env", {"EnvName": "cluster", "Pools": [pool]})
    client.create()
    ems_emulator.change(vm_fields=["pool", "profile", "env", "created"])
    listed = client.vms()[0]
    assert listed.pop("CreationTime").startswith("20")
    assert listed == {"NodeName": "n-1", "PoolName": "a", "ProfileName": "az1", "EnvName": "cluster"}
    assert client.vm().json()["EnvName"] == "cluster"


@pytest.mark.parametrize(
    ("body", "content_type", "shown"),
    [("json", "application/json", '{"Error":'), ("text", "text/plain", "no VM"), ("html", "text/html", "<html>")],
)
def test_errors_have_the_body_that_the_settings_say(
    ems_emulator: Emulator, client: Client, body: str, content_type: str, shown: str
) -> None:
    ems_emulator.change(error_body=body)
    answer = client.vm()
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith(content_type)
    assert answer.text.startswith(shown)


def test_errors_can_be_empty(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(error_body="empty")
    answer = client.vm()
    assert (answer.status_code, answer.content) == (404, b"")


def test_info_has_the_version(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(version="9.8.7")
    assert client.get("/v1/xcompute/info").json()["Manifest"]["copVersion"] == "9.8.7"


def test_other_paths_are_404(client: Client) -> None:
    for method, path in (("GET", "/"), ("GET", "/v1/pools"), ("POST", "/v1/xcompute/vms"), ("GET", "/v1/xcompute/vm/")):
        answer = client.call(method, path, {} if method == "POST" else None)
        assert answer.status_code == 404, path
        assert "no such path" in answer.json()["Error"]
