"""Puts an answer on the wire: whole, or harmed as a fault says."""

import asyncio
import socket
import struct
from typing import Final, Literal

from aiohttp import web

from xio_slurm.emulator.answers import Answer
from xio_slurm.emulator.faults import Applied, HugeBody, SlowDrip, Truncated

_DRIPS: Final = 40
_BLOCK: Final = b"x" * 65_536


def drop(request: web.Request, how: Literal["reset", "close"]) -> web.StreamResponse:
    """End the connection without an answer. What is returned goes nowhere."""
    transport = request.transport
    if transport is not None:
        if how == "reset":  # a close with no time to linger is a TCP reset
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def send(request: web.Request, answer: Answer, applied: Applied) -> web.StreamResponse:
    """Send the answer; raises ConnectionError where the client has gone."""
    if huge := applied.first(HugeBody):
        return await _send_huge(request, answer, huge.bytes)
    truncated = applied.first(Truncated)
    if truncated and truncated.effect == "truncated-body":
        return await _send_half(request, answer)
    body = answer.body[: len(answer.body) // 2] if truncated else answer.body
    if (drip := applied.first(SlowDrip)) and body:
        return await _send_slowly(request, answer, body, drip.seconds)
    return web.Response(status=answer.status, body=body, headers=_headers(answer))


def _headers(answer: Answer) -> dict[str, str]:
    return {**answer.headers, "Content-Type": answer.content_type}


async def _begin(request: web.Request, answer: Answer, length: int) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=_headers(answer))
    response.content_length = length
    await response.prepare(request)
    return response


async def _send_half(request: web.Request, answer: Answer) -> web.StreamResponse:
    body = answer.body or b"{}"
    response = await _begin(request, answer, len(body))
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def _send_slowly(request: web.Request, answer: Answer, body: bytes, seconds: float) -> web.StreamResponse:
    response = await _begin(request, answer, len(body))
    size = -(-len(body) // _DRIPS)
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    for piece in pieces:
        await response.write(piece)
        await asyncio.sleep(seconds / len(pieces))
    await response.write_eof()
    return response


async def _send_huge(request: web.Request, answer: Answer, size: int) -> web.StreamResponse:
    head, tail = b'{"Padding": "', b'"}'
    response = await _begin(request, answer, len(head) + size + len(tail))
    await response.write(head)
    while size > 0:
        await response.write(_BLOCK[:size])
        size -= len(_BLOCK)
    await response.write(tail)
    await response.write_eof()
    return response
