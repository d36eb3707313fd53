"""An EMS that makes, lists and deletes VMs and nothing else, fast enough not to be what is measured.

``python -I fast_ems.py LATENCY``: each answer takes so many seconds. It prints its port, and serves on loopback until
it is ended. ``--names FILE``: it has the VMs that the file names, a line each. ``--bears N``: to more than so many
requests at once it says 429, and ``GET /refused`` how often it has. xio's own emulator, with all its faults, answers a
tenth as many requests a second.
"""

import argparse
import asyncio
import json
import re
from pathlib import Path
from typing import Final

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_NODE: Final = re.compile(rb'"NodeName": *"([^"]+)"')
_VM: Final = "/v1/xcompute/vm"
_END: Final = b"\r\n\r\n"


class Ems:
    """The VMs, by name."""

    def __init__(self, names: list[str], bears: float) -> None:
        self._names = dict.fromkeys(names)
        self._bears = bears
        self.busy = 0
        self.refused = 0

    def is_too_much(self) -> bool:
        """Whether one more is."""
        if self.busy < self._bears:
            return False
        self.refused += 1
        return True

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """The status and body of an answer."""
        if (method, path) == ("GET", f"{_VM}s"):
            return 200, json.dumps({"Vms": [{"NodeName": name} for name in self._names]}).encode()
        if (method, path) == ("POST", _VM) and (found := _NODE.search(body)):
            self._names[found[1].decode()] = None
            return 200, b'{"JobId": "1"}'
        if path == "/refused":
            return 200, json.dumps(self.refused).encode()
        name = path.removeprefix(f"{_VM}/").partition("?")[0]
        if name not in self._names:
            return 404, b'{"Error": "no such VM"}'
        if method == "DELETE":
            del self._names[name]
            return 200, b"{}"
        return 200, json.dumps({"NodeName": name, "Vm": {"PrivateIpAddress": "127.0.0.1"}}).encode()


class Connection(asyncio.Protocol):
    """One connection that is kept open. Its client waits for an answer before it sends the next request."""

    def __init__(self, ems: Ems, latency: float) -> None:
        self._ems = ems
        self._latency = latency
        self._read = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """A piece of a request has come."""
        self._read += data
        head, end, body = self._read.partition(_END)
        length = _LENGTH.search(head)
        if not end or len(body) < (int(length[1]) if length else 0):
            return
        self._read = b""
        method, path, _ = head.partition(b"\r\n")[0].decode().split()
        if self._ems.is_too_much():
            self._send(429, b'{"Error": "too many requests"}')
            return
        self._ems.busy += 1
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._answer, method, path, body)
        else:
            self._answer(method, path, body)

    def _answer(self, method: str, path: str, body: bytes) -> None:
        self._ems.busy -= 1
        self._send(*self._ems.answer(method, path, body))

    def _send(self, status: int, text: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
        self._transport.write(head.encode() + text)


async def _serve(latency: float, ems: Ems) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Connection(ems, latency), "127.0.0.1", backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("latency", type=float)
    parser.add_argument("--names", type=Path)
    parser.add_argument("--bears", type=float, default=float("inf"))
    arguments = parser.parse_args()
    ems = Ems(arguments.names.read_text().split() if arguments.names else [], arguments.bears)
    asyncio.run(_serve(arguments.latency, ems))


if __name__ == "__main__":
    main()
