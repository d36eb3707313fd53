"""Listens: the EMS's API and the control API on one port."""

import logging
import os
import socket
from contextlib import suppress
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from xio_slurm.emulator import control, ems_http, guard
from xio_slurm.emulator.emulation import Emulation
from xio_slurm.emulator.options import Options
from xio_slurm.emulator.tls import TlsFiles
from xio_slurm.errors import EmulatorError

_BACKLOG: Final = 4096
_MAX_BODY: Final = 64 * 1024 * 1024


class _OurErrors(logging.Filter):
    """Lets a traceback through for what went wrong here, and not for what somebody sent that isn't HTTP."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError)


_LOG: Final = logging.getLogger(__name__)
_LOG.addFilter(_OurErrors())


class Server:
    """An emulator that listens between ``start`` and ``stop``, in one event loop."""

    def __init__(self, options: Options, log: ems_http.Log | None = None) -> None:
        self._options = options.checked()
        self._log = log
        self._runner: web.AppRunner | None = None
        self._context = None if options.tls is None else TlsFiles.prepare(options.tls).context()
        self.emulation = Emulation(options)
        self.port = options.port

    @property
    def url(self) -> str:
        """The base URL, as a client is given it."""
        address = self._options.address
        scheme = "http" if self._options.tls is None else "https"
        return f"{scheme}://{f'[{address}]' if ':' in address else address}:{self.port}"

    async def start(self) -> None:
        """Listen; raises EmulatorError if the port can't be had."""
        self._runner = web.AppRunner(self._application(), access_log=None, logger=_LOG, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, self._options.address, self._options.port, backlog=_BACKLOG, ssl_context=self._context
        )
        try:
            await site.start()
        except OSError as error:
            await self.stop()
            raise EmulatorError(
                f"can't listen on {self._options.address} port {self._options.port}: "
                f"{os.strerror(error.errno) if error.errno else error}; --port 0 takes a free one"
            ) from None
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """End everything: requests that still wait, and every process of every VM."""
        await self.emulation.booter.end_all()  # first, so that a DELETE which waits for it is answered
        if self._runner is not None:
            connections = self._connections()
            await self._runner.cleanup()
            for connection in connections:
                with suppress(OSError):  # TLS alone is open still: it waits for the client to take its leave
                    connection.shutdown(socket.SHUT_RDWR)
            self._runner = None
        await self.emulation.close()

    def _connections(self) -> list[socket.socket]:
        server = self._runner.server if self._runner is not None else None
        transports = [each.transport for each in server.connections] if server is not None else []
        sockets = [transport.get_extra_info("socket") for transport in transports if transport is not None]
        return [each for each in sockets if each is not None]  # a transport that is closing has none

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=_MAX_BODY, middlewares=[_client_gone])
        if self._options.run_user_data:
            application.middlewares.append(guard.no_web_page)
        if self._options.only_users:
            application.middlewares.append(guard.only(guard.user_ids(self._options.only_users)))
        application.add_routes(control.routes(self.emulation))
        application.add_routes(ems_http.routes(self.emulation, self._log))
        return application


@web.middleware
async def _client_gone(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A client that hangs up, or times out, is no error of ours."""
    try:
        return await handler(request)
    except ConnectionError:
        return web.Response()
