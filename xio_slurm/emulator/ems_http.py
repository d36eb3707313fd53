"""The EMS's API over HTTP: a request goes through limits and faults to its operation, and back on the wire."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from xio_slurm.emulator.answers import Answer, Refusal, error_answer
from xio_slurm.emulator.api import ROUTES, Call, Operation, node_of, pool_and_profile
from xio_slurm.emulator.emulation import Emulation
from xio_slurm.emulator.faults import Applied, Latency, Lost, Status, Subject
from xio_slurm.emulator.records import RequestRecord
from xio_slurm.emulator.scenario import problems
from xio_slurm.emulator.state import State
from xio_slurm.emulator.transport import drop, send

Log = Callable[[RequestRecord], None]


def routes(emulation: Emulation, log: Log | None) -> list[web.RouteDef]:
    """The routes of the API, and one for everything that isn't one of them."""
    known = [
        web.route(method, path, _handler(emulation, operation, log)) for (method, path), operation in ROUTES.items()
    ]
    return [*known, web.route("*", "/{name:.*}", _handler(emulation, _unknown, log))]


async def _unknown(call: Call) -> Answer:
    raise Refusal(404, f"no such path: /{call.name}")


def _handler(emulation: Emulation, operation: Operation, log: Log | None) -> Callable[[web.Request], Any]:
    async def handle(request: web.Request) -> web.StreamResponse:
        state, started = emulation.state, emulation.clock()
        exchange = _Exchange(emulation, state, operation, request)
        state.requests.begin()
        try:
            return await exchange.run()
        finally:
            record = RequestRecord(
                time=started,
                method=request.method,
                path=request.path_qs,
                node=exchange.subject.node,
                status=exchange.status,
                seconds=emulation.clock() - started,
                faults=exchange.applied.ids,
            )
            state.requests.end(record)
            if log is not None:
                log(record)

    return handle


class _Exchange:
    """One request and its answer."""

    def __init__(self, emulation: Emulation, state: State, operation: Operation, request: web.Request) -> None:
        self._emulation = emulation
        self._state = state
        self._operation = operation
        self._request = request
        self.subject = Subject(request.method, request.path)
        self.applied = Applied()
        self.status = 0

    async def run(self) -> web.StreamResponse:
        """Answer the request, or drop it."""
        state = self._state
        body = await _json(self._request)
        overloaded = self._overloaded()
        if overloaded is not None:
            return await self._send(overloaded)
        node = node_of(self._request.path, body)
        pool, profile = pool_and_profile(state, node, body)
        self.subject = Subject(self._request.method, self._request.path, node, pool, profile)
        self.applied = state.faults_of(self.subject)
        await self._wait("before")
        lost = self.applied.first(Lost)
        if lost is not None and lost.effect == "lost-request":
            return drop(self._request, lost.how)
        answer = await self._answer(body)
        await self._wait("after")
        if lost is not None:
            return drop(self._request, lost.how)
        return await self._send(answer)

    def _overloaded(self) -> Answer | None:
        settings, requests = self._state.settings, self._state.requests
        crowded = settings.max_concurrent and requests.running > settings.max_concurrent
        if not crowded and not (settings.max_rate and requests.too_fast(self._emulation.clock(), settings.max_rate)):
            return None
        headers = {"Retry-After": str(settings.retry_after)} if settings.retry_after else None
        return error_answer(int(settings.overload_status), "too many requests", settings.error_body, headers)

    async def _wait(self, when: str) -> None:
        settings, random = self._state.settings, self._state.random
        latencies = [each for each in self.applied.every(Latency) if each.when == when]
        seconds = sum(each.seconds + random.random() * each.jitter for each in latencies)
        if when == "before":
            seconds += settings.latency + random.random() * settings.latency_jitter
        if seconds > 0:
            await asyncio.sleep(seconds)

    async def _answer(self, body: Any) -> Answer:
        instead = self.applied.first(Status)
        if instead is None:
            return await self._operate(body)
        if instead.done:
            await self._operate(body)
        headers = {} if instead.retry_after is None else {"Retry-After": str(instead.retry_after)}
        if instead.status == 102:
            return Answer(102)
        if instead.text is not None:
            return Answer(instead.status, instead.text.encode(), instead.content_type, headers)
        return error_answer(instead.status, instead.error, instead.body or self._state.settings.error_body, headers)

    async def _operate(self, body: Any) -> Answer:
        emulation, error_body = self._emulation, self._state.settings.error_body
        try:
            emulation.tick()
            return await self._operation(self._call(body))
        except Refusal as refusal:
            return error_answer(refusal.status, refusal.text, error_body)
        except ValidationError as error:
            return error_answer(400, "; ".join(problems(error)), error_body)
        finally:
            emulation.tick()

    def _call(self, body: Any) -> Call:
        if not isinstance(body, dict):
            if self._request.method in {"POST", "PUT"}:
                raise Refusal(400, "the body is not a JSON object")
            body = {}
        name = self._request.match_info.get("name", "")
        return Call(self._state, self._emulation.booter, name, body, self.applied)

    async def _send(self, answer: Answer) -> web.StreamResponse:
        self.status = answer.status
        return await send(self._request, answer, self.applied)


async def _json(request: web.Request) -> Any:
    """The body as JSON; None if it isn't."""
    body = await request.read()
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None
