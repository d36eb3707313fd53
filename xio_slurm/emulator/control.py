"""The control API under ``/emulator/``: settings, faults, and the whole truth about what happened."""

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from xio_slurm.emulator.emulation import Emulation
from xio_slurm.emulator.faults import Numbered
from xio_slurm.emulator.records import Vm
from xio_slurm.emulator.scenario import change_settings, parse_fault
from xio_slurm.emulator.state import Requests
from xio_slurm.errors import EmulatorError

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes(emulation: Emulation) -> list[web.RouteDef]:
    """The routes of the control API. No fault and no limit touches them."""
    control = _Control(emulation)
    return [
        web.get("/emulator/settings", control.settings),
        web.put("/emulator/settings", _told(control.change_settings)),
        web.get("/emulator/faults", control.faults),
        web.post("/emulator/faults", _told(control.add_fault)),
        web.delete("/emulator/faults", control.remove_faults),
        web.delete("/emulator/faults/{id}", control.remove_fault),
        web.get("/emulator/requests", control.requests),
        web.delete("/emulator/requests", control.forget_requests),
        web.get("/emulator/vms", control.vms),
        web.get("/emulator/vms/{node}/user-data", control.user_data),
        web.get("/emulator/history", control.history),
        web.post("/emulator/reset", control.reset),
        web.route("*", "/emulator/{rest:.*}", _no_such),
        web.route("*", "/emulator", _no_such),
    ]


def _told(handler: _Handler) -> _Handler:
    """The handler, with what is wrong in a request told as a 400."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except EmulatorError as error:
            return web.json_response({"Error": str(error)}, status=400)

    return handle


async def _no_such(request: web.Request) -> web.Response:
    text = f"no {request.method} {request.path} here: settings, faults, requests, vms, history, reset"
    return web.json_response({"Error": text}, status=404)


async def _body(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except (ValueError, RecursionError) as error:
        raise EmulatorError(f"the body is not JSON: {error}") from None


def fault_document(numbered: Numbered) -> dict[str, Any]:
    """A fault as it was given, with its id and its counts."""
    fault = numbered.fault.model_dump(exclude_unset=True)
    return {"id": numbered.id, "seen": numbered.seen, "hits": numbered.hits, **fault}


def vm_document(vm: Vm) -> dict[str, Any]:
    """A VM without its user data, which has a place of its own."""
    document = asdict(vm)
    del document["user_data"]
    return document


class _Control:
    def __init__(self, emulation: Emulation) -> None:
        self._emulation = emulation

    async def settings(self, request: web.Request) -> web.Response:
        return web.json_response(self._emulation.state.settings.model_dump())

    async def change_settings(self, request: web.Request) -> web.Response:
        state = self._emulation.state
        state.change_settings(change_settings(state.settings, await _body(request)))
        return web.json_response(state.settings.model_dump())

    async def faults(self, request: web.Request) -> web.Response:
        return web.json_response({"faults": [fault_document(each) for each in self._emulation.state.faults]})

    async def add_fault(self, request: web.Request) -> web.Response:
        numbered = self._emulation.state.add_fault(parse_fault(await _body(request)))
        return web.json_response(fault_document(numbered))

    async def remove_faults(self, request: web.Request) -> web.Response:
        self._emulation.state.faults.clear()
        return web.json_response({})

    async def remove_fault(self, request: web.Request) -> web.Response:
        fault_id = request.match_info["id"]
        if not fault_id.isdecimal() or not self._emulation.state.remove_fault(int(fault_id)):
            return web.json_response({"Error": f"no fault {fault_id}"}, status=404)
        return web.json_response({})

    async def requests(self, request: web.Request) -> web.Response:
        requests = self._emulation.state.requests
        log = [asdict(record) for record in requests.log]
        return web.json_response({"total": requests.total, "peak": requests.peak, "requests": log})

    async def forget_requests(self, request: web.Request) -> web.Response:
        self._emulation.state.requests = Requests()
        return web.json_response({})

    async def vms(self, request: web.Request) -> web.Response:
        self._emulation.tick()
        return web.json_response({"vms": [vm_document(vm) for vm in self._emulation.state.fleet.everything()]})

    async def user_data(self, request: web.Request) -> web.Response:
        node = request.match_info["node"]
        vms = [vm for vm in self._emulation.state.fleet.everything() if vm.node == node]
        if not vms:
            return web.json_response({"Error": f"there never was a VM {node}"}, status=404)
        return web.Response(body=base64.b64decode(vms[-1].user_data), content_type="text/plain")

    async def history(self, request: web.Request) -> web.Response:
        self._emulation.tick()
        return web.json_response({"history": [asdict(event) for event in self._emulation.state.fleet.history]})

    async def reset(self, request: web.Request) -> web.Response:
        await self._emulation.reset()
        return web.json_response({})
