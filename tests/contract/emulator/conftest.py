"""An emulator, and a plain HTTP client for it that knows nothing but paths and JSON."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from xio_slurm.emulator import Emulator
from xio_slurm.emulator.fixture import ems_emulator

__all__ = ["ems_emulator"]


class Client:
    """One keep-alive session with an emulator."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def call(self, method: str, path: str, body: Any = None, timeout: float = 60) -> requests.Response:
        return self.session.request(method, self.url + path, json=body, timeout=timeout)

    def get(self, path: str, timeout: float = 60) -> requests.Response:
        return self.call("GET", path, timeout=timeout)

    def post(self, path: str, body: Any, timeout: float = 60) -> requests.Response:
        return self.call("POST", path, body, timeout=timeout)

    def put(self, path: str, body: Any) -> requests.Response:
        return self.call("PUT", path, body)

    def delete(self, path: str, timeout: float = 60) -> requests.Response:
        return self.call("DELETE", path, timeout=timeout)

    def create(self, node: str = "n-1", timeout: float = 60, **changes: Any) -> requests.Response:
        return self.post("/v1/xcompute/vm", vm_body(node, **changes), timeout=timeout)

    def vm(self, node: str = "n-1") -> requests.Response:
        return self.get(f"/v1/xcompute/vm/{node}?detailedInfo=true")

    def vms(self) -> list[dict[str, Any]]:
        vms: list[dict[str, Any]] = self.get("/v1/xcompute/vms").json()["Vms"]
        return vms


def vm_body(node: str = "n-1", script: str = "", **changes: Any) -> dict[str, Any]:
    """The body of a create; ``changes`` go into VM, but for those of the top level. None takes a key away."""
    body: dict[str, Any] = {"NodeName": node, "PoolName": "a", "ProfileName": "az1"}
    vm: dict[str, Any] = {"CPUs": 2, "ImageName": "rhel8", "MaxMemory": 7200, "VolumeSize": 10}
    vm["UserData"] = base64.b64encode(script.encode()).decode()
    for key, value in changes.items():
        (body if key in body else vm)[key] = value
    body["VM"] = {key: value for key, value in vm.items() if value is not None}
    return {key: value for key, value in body.items() if value is not None}


@pytest.fixture
def client(ems_emulator: Emulator) -> Iterator[Client]:
    """A client of this test's emulator."""
    client = Client(ems_emulator.url)
    with client.session:
        yield client
