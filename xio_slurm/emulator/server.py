"""Listens: the EMS's API and the control API on one port."""

import os
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from xio_slurm.emulator import control, ems_http
from xio_slurm.emulator.emulation import Emulation
from xio_slurm.emulator.options import Options
from xio_slurm.errors import EmulatorError

_BACKLOG: Final = 4096
_MAX_BODY: Final = 64 * 1024 * 1024


class Server:
    """An emulator that listens between ``start`` and ``stop``, in one event loop."""

    def __init__(self, options: Options, log: ems_http.Log | None = None) -> None:
        self._options = options.checked()
        self._log = log
        self._runner: web.AppRunner | None = None
        self.emulation = Emulation(options)
        self.port = options.port

    @property
    def url(self) -> str:
        """The base URL, as a client is given it."""
        address = self._options.address
        return f"http://{f'[{address}]' if ':' in address else address}:{self.port}"

    async def start(self) -> None:
        """Listen; raises EmulatorError if the port can't be had."""
        self._runner = web.AppRunner(self._application(), access_log=None, handle_signals=False, shutdown_timeout=0.2)
        await self._runner.setup()
        # For TLS (the product XWO), give TCPSite an ssl_context that asks for the client's certificate.
        site = web.TCPSite(self._runner, self._options.address, self._options.port, backlog=_BACKLOG)
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
            await self._runner.cleanup()
            self._runner = None
        await self.emulation.close()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=_MAX_BODY)
        if self._options.run_user_data:
            application.middlewares.append(_no_web_page)
        application.add_routes(control.routes(self.emulation))
        application.add_routes(ems_http.routes(self.emulation, self._log))
        return application


@web.middleware
async def _no_web_page(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what a browser sends for a web page: any page could otherwise have its commands run here."""
    if "Origin" in request.headers:
        return web.json_response({"Error": "requests of web pages are refused with --run-user-data"}, status=403)
    return await handler(request)
