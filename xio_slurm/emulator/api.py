"""The EMS's API: what each call does to the state. HTTP is elsewhere.

Every operation takes a Call and answers with an Answer, or raises Refusal or pydantic.ValidationError.
"""

import base64
import binascii
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from xio_slurm.emulator.answers import Answer, Refusal, answer
from xio_slurm.emulator.boot import Booter
from xio_slurm.emulator.documents import Document, Shelf, pools
from xio_slurm.emulator.faults import Applied, ParseFails, ParseNeverEnds, SlowDelete
from xio_slurm.emulator.parse import ParseRequest
from xio_slurm.emulator.permission import check_create, check_delete, check_update, told
from xio_slurm.emulator.records import Vm
from xio_slurm.emulator.state import State
from xio_slurm.emulator.vms import CreateVm


@dataclass(frozen=True, slots=True)
class Call:
    """A request, taken apart: the last part of its path, its JSON body, the faults that apply, and what it acts on."""

    state: State
    booter: Booter
    name: str
    body: Document
    applied: Applied


Operation = Callable[[Call], Awaitable[Answer]]


# VMs


async def create_vm(call: Call) -> Answer:
    """POST /v1/xcompute/vm"""
    body = CreateVm.model_validate(call.body)
    _check_user_data(body.VM.UserData)
    if call.state.settings.require_known:
        _check_vm_known(call.state, body)
    return answer({"JobId": call.state.fleet.create(body, call.state.settings, call.applied).job_id})


def _check_user_data(user_data: str) -> None:
    try:
        base64.b64decode(user_data, validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(400, "VM.UserData is not base64 on one line") from None


def _check_vm_known(state: State, body: CreateVm) -> None:
    if body.VM.ImageName not in state.images.names():
        raise Refusal(400, f"no image {body.VM.ImageName}")
    if body.ProfileName not in state.profiles.names():
        raise Refusal(400, f"no profile {body.ProfileName}")
    if body.PoolName not in pools(state.environments.all()):
        raise Refusal(400, f"no environment has a pool {body.PoolName}")


async def get_vm(call: Call) -> Answer:
    """GET /v1/xcompute/vm/{NodeName}"""
    vms = call.state.fleet.named(call.name)
    if not vms:
        raise Refusal(404, f"no VM {call.name}")
    vm = vms[-1]
    if vm.delete_asked is not None and call.state.settings.deleting_get == "102":
        return Answer(102)
    if vm.delete_asked is None and vm.address is None and call.state.settings.booting_get == "102":
        return Answer(102)
    return answer(_detail(call.state, vm))


def _detail(state: State, vm: Vm) -> Document:
    detail = _listed(state, vm)
    if controller := state.fleet.controller(vm.profile):
        detail["Controller"] = {"NodeName": controller.node, "PrivateIpAddress": controller.address}
    detail["Vm"] = {} if vm.address is None else {"PrivateIpAddress": vm.address}
    return detail


def _listed(state: State, vm: Vm) -> Document:
    fields = state.settings.vm_fields
    listed: Document = {"NodeName": vm.node}
    if "pool" in fields:
        listed["PoolName"] = vm.pool
    if "profile" in fields:
        listed["ProfileName"] = vm.profile
    if "env" in fields:
        listed["EnvName"] = pools(state.environments.all()).get(vm.pool)
    if "created" in fields:
        listed["CreationTime"] = datetime.fromtimestamp(vm.created, UTC).isoformat(timespec="seconds")
    return listed


async def delete_vm(call: Call) -> Answer:
    """DELETE /v1/xcompute/vm/{NodeName}: answered when nothing of the VM runs any more."""
    vms = call.state.fleet.named(call.name)
    if not vms:
        if call.state.settings.missing_delete == "404":
            raise Refusal(404, f"no VM {call.name}")
        return answer({})
    slow = call.applied.first(SlowDelete)
    seconds = slow.seconds if slow else call.state.settings.delete_seconds
    for vm in vms if call.state.settings.twin_delete == "all" else vms[-1:]:
        marked = vm if vm.delete_asked is not None else call.state.fleet.mark_deleted(vm, seconds)
        await call.booter.end(vm.serial)
        if not marked.delete_seconds:
            call.state.fleet.finish(vm.serial)
    return answer({})


async def list_vms(call: Call) -> Answer:
    """GET /v1/xcompute/vms"""
    return answer({"Vms": [_listed(call.state, vm) for vm in call.state.fleet.alive()]})


async def info(call: Call) -> Answer:
    """GET /v1/xcompute/info"""
    return answer({"Manifest": {"copVersion": call.state.settings.version}})


# Parse jobs


async def start_parse(call: Call) -> Answer:
    """POST /v1/xcompute/parse"""
    request = ParseRequest.model_validate(call.body)
    fails = call.applied.first(ParseFails)
    seconds = math.inf if call.applied.first(ParseNeverEnds) else call.state.settings.parse_seconds
    settings, code = call.state.settings, fails.code if fails else 0
    job = call.state.parse_jobs.start(request, seconds, code, listed=settings.image_while_parsing == "listed")
    return answer({"JobId": job.job_id})


async def get_parse(call: Call) -> Answer:
    """GET /v1/xcompute/parse/{JobId}"""
    job = call.state.parse_jobs.get(call.name)
    if not job.ended:
        return Answer(102)
    if job.code:
        raise Refusal(400, f"parse of {job.image['ImageName']} failed, code={job.code}")
    return answer({"JobId": job.job_id})


# Documents


def shelf_operations(which: Callable[[State], Shelf], plural: str) -> dict[str, Operation]:
    """The five operations on one kind of document: list, get, create, update, delete."""

    async def list_all(call: Call) -> Answer:
        call.state.parse_jobs.tick()
        shelf = which(call.state)
        return answer({plural: [told(call.state, shelf, each) for each in shelf.all()]})

    async def get(call: Call) -> Answer:
        call.state.parse_jobs.tick()
        shelf = which(call.state)
        return answer(told(call.state, shelf, shelf.get(call.name)))

    async def create(call: Call) -> Answer:
        shelf = which(call.state)
        shelf.check(call.body)
        check_create(call.state, shelf, call.body)
        return answer({"Id": shelf.create(call.body)["Id"]})

    async def update(call: Call) -> Answer:
        shelf = which(call.state)
        shelf.check(call.body)
        check_update(call.state, shelf, call.body)
        return answer({"Id": shelf.update(call.body)["Id"]})

    async def delete(call: Call) -> Answer:
        shelf = which(call.state)
        shelf.get(call.name)
        check_delete(call.state, shelf, call.name)
        shelf.delete(call.name)
        return answer({})

    return {"list": list_all, "get": get, "create": create, "update": update, "delete": delete}


ROUTES: dict[tuple[str, str], Operation] = {
    ("POST", "/v1/xcompute/vm"): create_vm,
    ("GET", "/v1/xcompute/vm/{name}"): get_vm,
    ("DELETE", "/v1/xcompute/vm/{name}"): delete_vm,
    ("GET", "/v1/xcompute/vms"): list_vms,
    ("GET", "/v1/xcompute/info"): info,
    ("POST", "/v1/xcompute/parse"): start_parse,
    ("GET", "/v1/xcompute/parse/{name}"): get_parse,
}


def _add_documents(path: str, operations: dict[str, Operation]) -> None:
    ROUTES["GET", f"{path}s"] = operations["list"]
    ROUTES["GET", f"{path}/{{name}}"] = operations["get"]
    ROUTES["POST", path] = operations["create"]
    ROUTES["PUT", path] = operations["update"]
    ROUTES["DELETE", f"{path}/{{name}}"] = operations["delete"]


_add_documents("/v1/profile", shelf_operations(lambda state: state.profiles, "Profiles"))
_add_documents("/v1/env", shelf_operations(lambda state: state.environments, "Environments"))
_add_documents("/v1/image", shelf_operations(lambda state: state.images, "Images"))


def node_of(path: str, body: Any) -> str | None:
    """The node that a request speaks of."""
    prefix = "/v1/xcompute/vm/"
    if path.startswith(prefix):
        return path.removeprefix(prefix)
    return _text(body, "NodeName")


def _text(body: Any, key: str) -> str | None:
    value = body.get(key) if isinstance(body, dict) else None
    return value if isinstance(value, str) else None


def pool_and_profile(state: State, node: str | None, body: Any) -> tuple[str | None, str | None]:
    """Pool and profile that a request speaks of: by its body, or by the VM that it names."""
    pool, profile = _text(body, "PoolName"), _text(body, "ProfileName")
    if node is not None and pool is None:
        for vm in state.fleet.named(node)[-1:]:
            return vm.pool, vm.profile
    return pool, profile
