"""The emulator's own side: its faults, and the whole truth about the VMs. Not by the door, and hit by no fault."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import requests


@dataclass(frozen=True, slots=True)
class Emulator:
    """The one of a lab. Each call raises RequestException where it doesn't answer."""

    url: str

    def add_fault(self, fault: dict[str, Any]) -> int:
        """From now on. Its number."""
        return int(self._control("POST", "faults", fault)["id"])

    def remove_fault(self, number: int) -> None:
        """End one."""
        self._control("DELETE", f"faults/{number}")

    def remove_faults(self) -> None:
        """End all of them."""
        self._control("DELETE", "faults")

    def vms(self) -> list[dict[str, Any]]:
        """Every VM that there ever was."""
        vms: list[dict[str, Any]] = self._control("GET", "vms")["vms"]
        return vms

    def make_foreign(self, node: str) -> None:
        """Another cluster makes a VM."""
        vm = {"CPUs": 1, "ImageName": "x", "MaxMemory": 1000, "VolumeSize": 10, "UserData": ""}
        document = {"NodeName": node, "PoolName": "theirs", "ProfileName": "az1", "VM": vm}
        requests.post(f"{self.url}/v1/xcompute/vm", json=document, timeout=10).raise_for_status()

    def delete(self, node: str, serial: int) -> None:
        """See to it that a VM's end is asked for, whatever faults there are."""
        for _ in range(50):
            if not any(vm["serial"] == serial and not vm["gone"] and not vm["delete_asked"] for vm in self.vms()):
                return
            with suppress(requests.RequestException):
                requests.delete(f"{self.url}/v1/xcompute/vm/{node}", timeout=10)

    def _control(self, method: str, path: str, document: object = None) -> Any:
        answer = requests.request(method, f"{self.url}/emulator/{path}", json=document, timeout=30)
        answer.raise_for_status()
        return answer.json()
