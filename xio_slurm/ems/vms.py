"""The EMS's virtual machines: create, look, delete, list.

Source of the endpoints and their fields: what public clients of a live EMS send and read. Where those leave open what
the EMS does, the callers see a result that is right either way.
"""

from typing import Any, Final
from urllib.parse import quote

from msgspec import Struct

from xio_slurm.deadline import Deadline
from xio_slurm.ems.answers import document, job_id, refusal
from xio_slurm.ems.transport import Transport
from xio_slurm.errors import EmsUnreadable

_MAX_NAME: Final = 255
"""Characters of a host's name or address: what is longer, or can't be printed, is none."""


class NewVm(Struct, frozen=True):
    """What to ask for. ``max_memory`` and ``min_memory`` in MiB, ``volume_size`` in GB, ``user_data`` in base64."""

    node: str
    pool: str
    profile: str
    image: str
    cpus: int
    max_memory: int
    min_memory: int | None
    volume_size: int
    user_data: str
    enable_wo: bool

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.node!r})"  # the user data can hold a password

    def to_document(self) -> dict[str, Any]:
        """The body of the request. Keys that only some EMS know are left out where they say nothing."""
        vm: dict[str, Any] = {
            "CPUs": self.cpus,
            "ImageName": self.image,
            "MaxMemory": self.max_memory,
            "VolumeSize": self.volume_size,
            "UserData": self.user_data,
        }
        if self.min_memory is not None:
            vm["MinMemory"] = self.min_memory
        if self.enable_wo:
            vm["EnableWO"] = True
        return {"NodeName": self.node, "PoolName": self.pool, "ProfileName": self.profile, "VM": vm}


class Vm(Struct, frozen=True):
    """A VM that the EMS has. ``address`` is None until it is up: the only evidenced sign of readiness.

    ``answer`` is all that the EMS says of it; None while it says only that the VM isn't there yet.
    """

    node: str
    address: str | None
    controller: str | None
    controller_address: str | None = None
    answer: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.node!r}, {self.address!r})"  # the answer can hold the user data


class Vms:
    """The VM endpoints of one EMS. Every method raises EmsError: unreachable, refused or unreadable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, vm: NewVm, deadline: Deadline) -> str:
        """Ask for a VM; the id of the EMS's job. Never sent twice: after a lost answer, ``get`` tells the truth."""
        what = f"create {vm.node}"
        answer = self._transport.request("POST", "/v1/xcompute/vm", deadline, vm.to_document())
        return job_id(answer, what)

    def get(self, node: str, deadline: Deadline) -> Vm | None:
        """The VM of that name, or None where there is none. A VM that is being made has no address yet."""
        answer = self._transport.request("GET", f"{_path(node)}?detailedInfo=true", deadline)
        if answer.status == 404:
            return None
        if answer.status == 102:
            return Vm(node, None, None)
        found = document(answer, f"look up {node}")
        return Vm(
            node=node,
            address=_text(found, "Vm", "PrivateIpAddress"),
            controller=_text(found, "Controller", "NodeName"),
            controller_address=_text(found, "Controller", "PrivateIpAddress"),
            answer=found,
        )

    def delete(self, node: str, deadline: Deadline) -> None:
        """Ask for the VM's end; a VM that isn't there is fine. The end itself may come later: look before you trust."""
        answer = self._transport.request("DELETE", _path(node), deadline)
        if answer.status not in {200, 404}:
            raise refusal(answer, f"delete {node}")

    def names(self, deadline: Deadline) -> frozenset[str]:
        """The node names of every VM of the EMS, other clusters' too. One request however many there are."""
        return frozenset(self.listed(deadline))

    def listed(self, deadline: Deadline) -> tuple[str, ...]:
        """The same in the EMS's order, and a name twice that two VMs have."""
        what = "list the VMs"
        listed = document(self._transport.request("GET", "/v1/xcompute/vms", deadline), what).get("Vms", "missing")
        if listed is None:
            listed = []  # Go writes an empty list so
        if not isinstance(listed, list) or not all(isinstance(vm, dict) and "NodeName" in vm for vm in listed):
            raise EmsUnreadable(f"{what}: the EMS answered 200 with a list that holds no NodeNames")
        return tuple(str(vm["NodeName"]) for vm in listed)


def _path(node: str) -> str:
    return f"/v1/xcompute/vm/{quote(node, safe='')}"


def _text(found: dict[str, Any], *keys: str) -> str | None:
    value: Any = found
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_NAME and value.isprintable() else None
