"""Who may speak to an emulator that runs what it is sent: no web page, and only the users that were named.

Loopback keeps other machines out, and nobody of this one. Linux tells whose a TCP connection's other end is, where
that is on the same machine (proc(5), /proc/net/tcp).
"""

import os
import pwd
import socket
import struct
from collections.abc import Collection
from pathlib import Path
from weakref import WeakKeyDictionary

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from xio_slurm.errors import EmulatorError

Address = tuple[str, int]


def user_ids(names: Collection[str]) -> frozenset[int]:
    """The ids of these users, with root's and our own; raises EmulatorError for one that isn't there."""
    found = {0, os.geteuid()}
    for name in names:
        try:
            found.add(pwd.getpwnam(name).pw_uid)
        except KeyError:
            raise EmulatorError(f"--only-user {name}: there is no such user") from None
    return frozenset(found)


def owner_of(client: Address, server: Address) -> int | None:
    """The user id of the process at the client's end of a connection; None if it isn't on this machine."""
    table = "tcp6" if ":" in client[0] else "tcp"
    wanted = [_hex(client), _hex(server)]
    for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1:3] == wanted:
            return int(fields[7])
    return None


def _hex(address: Address) -> str:
    host, port = address
    packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    # The kernel prints the address as numbers of 32 bits in the machine's own order.
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"


@web.middleware
async def no_web_page(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what a browser sends for a web page: any page could otherwise have its commands run here."""
    if "Origin" in request.headers:
        return web.json_response({"Error": "requests of web pages are refused with --run-user-data"}, status=403)
    return await handler(request)


def only(allowed: Collection[int]) -> Middleware:
    """Refuse the connections of other users."""
    owners: WeakKeyDictionary[object, int | None] = WeakKeyDictionary()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        transport = request.transport
        if transport is None:  # it has hung up
            return web.Response()
        if transport not in owners:
            client, server = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
            owners[transport] = owner_of(client[:2], server[:2])
        owner = owners[transport]
        if owner not in allowed:
            return web.json_response({"Error": f"user id {owner} may not use this: see --only-user"}, status=403)
        return await handler(request)

    return check
