"""Connections that are made, and whose answers begin and end, in time, whatever the other side sends.

A socket's timeout bounds each read alone. A server or proxy that sends a header line now and then, or ``100 Continue``
for ever, never exceeds it, and http.client reads on until the headers end; so it does with a chunk's extensions and a
body's trailers. Here the whole of it has a time. (A TLS handshake is bounded as a whole by Python itself.)
"""

import http.client
import ssl
from contextlib import AbstractContextManager
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

from requests import PreparedRequest, Request, Response, Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from xio_slurm.ems.watchdog import Watchdog


class NotConnectedError(HTTPError):
    """No connection was made, so nothing was sent; the reason is its cause. ``at_proxy``: it wasn't even to the EMS."""

    def __init__(self, *, at_proxy: bool) -> None:
        self.at_proxy = at_proxy
        super().__init__("no connection")


class _Http(HTTPConnection):
    _through_proxy = False

    def __init__(self, *arguments: Any, watchdog: Watchdog, **options: Any) -> None:
        self._watchdog = watchdog
        self._begun: http.client.HTTPResponse | None = None
        super().__init__(*arguments, **options)

    def _begin_response(self, *arguments: Any, **options: Any) -> http.client.HTTPResponse:
        self._begun = http.client.HTTPResponse(*arguments, **options)
        return self._begun

    response_class: Any = _begin_response

    def connect(self) -> None:
        try:
            with self._in_time():
                super().connect()
        except (OSError, http.client.HTTPException, HTTPError) as error:
            raise NotConnectedError(at_proxy=self.proxy is not None and not self._through_proxy) from error

    def _tunnel(self) -> None:
        super()._tunnel()
        self._through_proxy = True

    def getresponse(self) -> Any:
        used = self.sock  # http.client lets go of it where the answer ends the connection
        try:
            with self._in_time():
                response: Any = super().getresponse()
        except Exception:
            if self._begun is not None:  # urllib3 leaves one open whose length it can't read
                self._begun.close()
            raise
        response.socket_in_use = used
        return response

    def _in_time(self) -> AbstractContextManager[None]:
        timeout: Any = self.timeout
        # A little more, so that a plain silence is still told as the timeout that it is.
        return self._watchdog.in_time(timeout * 1.1 + 0.1, lambda: self.sock)


class _Https(_Http, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


_POOLS: Final = {"http": _HttpPool, "https": _HttpsPool}


class _Adapter(HTTPAdapter):
    """Hands requests our connections, whose TLS context has said already whom we trust and whom we are.

    Left to itself, requests would load the authorities of its own bundle into that context.
    """

    def __init__(self, connections: PoolManager) -> None:
        self._connections = connections
        self._pool: HTTPConnectionPool | None = None
        super().__init__(max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        self.poolmanager = self._connections

    def get_connection_with_tls_context(self, request: Any, *arguments: Any, **options: Any) -> Any:
        if self._pool is None:
            self._pool = self._connections.connection_from_url(request.url)  # all requests are to one server
        return self._pool

    def cert_verify(self, *arguments: Any, **options: Any) -> None:
        """Nothing is left to say."""

    def request_url(self, request: Any, proxies: Any) -> str:
        if self._connections.proxy is not None and request.url.startswith("http:"):
            return str(request.url)  # a proxy of plain HTTP is told the whole URL
        return str(request.path_url)


class BoundedSession(Session):
    """A session to one server, whose connections are kept open for ``max_connections`` requests side by side.

    ``server_name`` is the name that its certificate must bear, and that it is greeted with, where it isn't the URL's
    host. Nothing is taken from the environment: a proxy is used only where it is given. No cookie is taken. There are
    no retries, and no redirect is followed or even looked at: requests would read its whole body before it lets us
    decide.
    """

    def __init__(
        self, max_connections: int, *, context: ssl.SSLContext | None, server_name: str | None, proxy: str | None
    ) -> None:
        super().__init__()
        self._first: PreparedRequest | None = None
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._watchdog = Watchdog()
        connections = _connections(max_connections, context=context, server_name=server_name, proxy=proxy)
        watched: Any = {scheme: partial(pool, watchdog=self._watchdog) for scheme, pool in _POOLS.items()}
        connections.pool_classes_by_scheme = watched
        adapter = _Adapter(connections)
        for scheme in ("http://", "https://"):
            self.mount(scheme, adapter)

    def close(self) -> None:
        """Close the connections that are idle, and stop watching."""
        super().close()
        self._watchdog.close()

    def prepared(self, method: str, url: str, document: Any) -> PreparedRequest:
        """A request that is ready to be sent, with the session's headers.

        All but its URL and body is as in the first: to prepare each anew takes a fifth of a request's time.
        """
        if self._first is None:
            self._first = Request("GET", url, headers=self.headers).prepare()
        request = self._first.copy()
        request.method, request.url = method, url
        request.prepare_body(None, None, document)
        return request

    def body_in_time(self, response: Response, seconds: float) -> AbstractContextManager[None]:
        """An answer's body is read in here. Raises TimeoutError when it isn't through after so many seconds."""
        raw: Any = response.raw
        return self._watchdog.in_time(seconds, lambda: raw.socket_in_use)

    def get_redirect_target(self, resp: Any) -> None:
        """Where an answer would lead: nowhere."""


def _connections(
    max_connections: int, *, context: ssl.SSLContext | None, server_name: str | None, proxy: str | None
) -> PoolManager:
    tls: dict[str, Any] = {} if context is None else {"ssl_context": context, "server_hostname": server_name}
    sizes: dict[str, Any] = {"num_pools": 1, "maxsize": max_connections}
    return PoolManager(**sizes, **tls) if proxy is None else ProxyManager(proxy, **sizes, **tls)
