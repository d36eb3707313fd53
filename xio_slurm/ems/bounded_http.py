"""Connections whose answers begin in time, whatever the other side sends.

A socket's timeout bounds each read alone. A server that sends a header line now and then, or ``100 Continue`` for
ever, never exceeds it, and http.client reads on until the headers end. Here the whole of it has the time that one
read would have.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Timer
from typing import Any

from requests import Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class _Watched:
    """Ends the connection under a read of the headers that takes longer than its timeout."""

    timeout: Any
    sock: Any

    def _in_time(self, read: Callable[[], Any]) -> Any:
        cut = Event()

        def end() -> None:
            cut.set()
            with suppress(OSError, AttributeError):  # closed meanwhile
                self.sock.shutdown(socket.SHUT_RDWR)

        # A little more, so that a plain silence is still told as the timeout that it is.
        watch = Timer(self.timeout * 1.1 + 0.1, end)
        watch.daemon = True
        watch.start()
        try:
            response = read()
        finally:
            watch.cancel()
        if cut.is_set():
            response.close()
            raise TimeoutError  # http.client takes a connection that ends for the end of the headers
        return response


class _Http(_Watched, HTTPConnection):
    def getresponse(self) -> Any:
        return self._in_time(super().getresponse)


class _Https(_Watched, HTTPSConnection):
    def getresponse(self) -> Any:
        return self._in_time(super().getresponse)


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class BoundedSession(Session):
    """A session to one server: no proxy or password from the environment, no retries, and no redirect is followed.

    Not even looked at: requests would read a redirect's whole body into memory before it lets us decide.
    """

    def __init__(self, max_connections: int) -> None:
        super().__init__()
        self.trust_env = False
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=max_connections, max_retries=0)
        adapter.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
        for scheme in ("http://", "https://"):
            self.mount(scheme, adapter)

    def get_redirect_target(self, resp: Any) -> None:
        """Where an answer would lead: nowhere."""
