"""The control API, as a test in any language uses it."""

import pytest

from tests.contract.emulator.conftest import Client
from xio_slurm.emulator import Emulator, Settings


def test_settings_are_read_and_changed(client: Client) -> None:
    before = client.get("/emulator/settings").json()
    assert set(before) == set(Settings.model_fields)
    after = client.put("/emulator/settings", {"boot_seconds": 7, "existing_vm": 409})
    assert after.json() == {**before, "boot_seconds": 7, "existing_vm": "409"}
    assert client.get("/emulator/settings").json() == after.json()


@pytest.mark.parametrize(
    "changes",
    [{"boot_second": 1}, {"boot_seconds": -1}, {"existing_vm": "418"}, {"vm_fields": ["colour"]}, [], "text", None],
)
def test_wrong_settings_change_nothing(client: Client, changes: object) -> None:
    before = client.get("/emulator/settings").json()
    answer = client.put("/emulator/settings", changes)
    assert answer.status_code == 400
    assert answer.json()["Error"]
    assert client.get("/emulator/settings").json() == before


def test_faults_are_added_listed_and_removed(client: Client) -> None:
    fault = {"effect": "status", "status": 503, "match": {"node": "n-*"}}
    ids = [client.post("/emulator/faults", fault).json()["id"] for _ in range(3)]
    assert len(set(ids)) == 3
    assert client.create().status_code == 503
    listed = client.get("/emulator/faults").json()["faults"]
    assert listed[0] == {"id": ids[0], "seen": 1, "hits": 1, **fault}
    assert client.delete(f"/emulator/faults/{ids[0]}").status_code == 200
    assert client.delete(f"/emulator/faults/{ids[0]}").status_code == 404
    assert client.delete("/emulator/faults/none").status_code == 404
    assert client.delete("/emulator/faults").status_code == 200
    assert client.get("/emulator/faults").json() == {"faults": []}
    assert client.post("/emulator/faults", fault).json()["id"] not in ids
    assert client.post("/emulator/faults", {"effect": "none"}).status_code == 400


def test_requests_are_logged(client: Client) -> None:
    client.create()
    client.vm("other")
    log = client.get("/emulator/requests").json()
    assert (log["total"], log["peak"]) == (2, 1)
    first, second = log["requests"]
    assert (first["method"], first["path"], first["node"], first["status"]) == ("POST", "/v1/xcompute/vm", "n-1", 200)
    assert second["path"] == "/v1/xcompute/vm/other?detailedInfo=true"
    assert (second["node"], second["status"], second["faults"]) == ("other", 404, [])
    assert 0 <= second["seconds"] < 60
    assert client.delete("/emulator/requests").status_code == 200
    assert client.get("/emulator/requests").json() == {"total": 0, "peak": 0, "requests": []}


def test_no_fault_touches_the_control_api(client: Client) -> None:
    client.post("/emulator/faults", {"effect": "lost-request"})
    assert client.get("/emulator/vms").status_code == 200


def test_the_whole_truth_about_vms(ems_emulator: Emulator, client: Client) -> None:
    client.create("n-1", UserData="IyEvYmluL3NoCg==")
    ems_emulator.wait_until(lambda: client.vm().json()["Vm"])
    client.delete("/v1/xcompute/vm/n-1")
    client.create("n-2")
    gone, booting = client.get("/emulator/vms").json()["vms"]
    assert gone["created"] <= gone["up"] <= gone["delete_asked"] <= gone["gone"]
    assert gone["pid"] is None
    assert "UserData" not in str(gone)
    assert gone["request"]["VM"]["CPUs"] == 2
    assert (booting["node"], booting["gone"]) == ("n-2", None)
    assert client.get("/emulator/vms/n-1/user-data").text == "#!/bin/sh\n"
    assert client.get("/emulator/vms/none/user-data").status_code == 404


def test_the_history_is_in_order(ems_emulator: Emulator, client: Client) -> None:
    client.create()
    ems_emulator.wait_until(lambda: client.vm().json()["Vm"])
    client.delete("/v1/xcompute/vm/n-1")
    history = client.get("/emulator/history").json()["history"]
    assert [each["event"] for each in history] == ["vm-asked", "vm-up", "delete-asked", "vm-gone"]
    assert [each["time"] for each in history] == sorted(each["time"] for each in history)
    assert {each["node"] for each in history} == {"n-1"}


def test_a_reset_forgets_everything(client: Client) -> None:
    client.create()
    client.post("/v1/image", {"ImageName": "i"})
    client.put("/emulator/settings", {"boot_seconds": 7})
    client.post("/emulator/faults", {"effect": "latency", "seconds": 0})
    assert client.post("/emulator/reset", None).status_code == 200
    assert client.vms() == []
    assert client.get("/v1/images").json() == {"Images": []}
    assert client.get("/emulator/settings").json()["boot_seconds"] == 0.05
    assert client.get("/emulator/faults").json() == {"faults": []}
    assert client.get("/emulator/history").json() == {"history": []}
    assert client.get("/emulator/requests").json()["total"] == 2
    assert client.get("/v1/profile/az1").status_code == 200


def test_other_control_paths_are_told(client: Client) -> None:
    answer = client.get("/emulator/setings")
    assert answer.status_code == 404
    assert "settings" in answer.json()["Error"]
    assert client.get("/emulator").status_code == 404


def test_a_body_that_is_no_json_is_told(client: Client) -> None:
    answer = client.session.post(f"{client.url}/emulator/faults", data="{", timeout=60)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["Error"]
