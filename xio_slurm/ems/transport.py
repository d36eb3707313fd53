"""HTTP to the EMS: one pooled session for all threads, no more requests than it bears, each bounded in time and size.

Nothing here knows what an answer means. Status codes are handed up as they are: the EMS uses 102 as a final answer,
which ``requests`` would count as a success.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import Any, Final

import requests
from msgspec import Struct
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from xio_slurm.deadline import Deadline
from xio_slurm.ems.bounded_http import BoundedSession
from xio_slurm.ems.flow import Flow
from xio_slurm.ems.no_answer import no_answer, speaks_tls
from xio_slurm.errors import CertificateError, EmsUnreachable, EmsUnreadable
from xio_slurm.manifest import Tls
from xio_slurm.plain_text import one_line, shortened

MAX_ANSWER: Final = 32 * 1024 * 1024
"""Bytes of one answer: room for a list of 100,000 VMs with all that the EMS may say of each."""

_PIECE: Final = 64 * 1024
_SHORTEST: Final = 0.2
"""Seconds for a body: what has come already, when its head came late, isn't thrown away."""
_WORDS: Final = 200
"""Characters of a request in a message: a name of others in it can be longer."""

_WANTS_TLS: Final = (b"HTTP request to an HTTPS server", b"plain HTTP request was sent to HTTPS port")
"""What Go's and nginx's servers answer to plain HTTP on a port of TLS, with status 400."""


class Answer(Struct, frozen=True):
    """A whole answer: its status, and its body as it came. ``date`` is the EMS's clock as it says it, a header."""

    status: int
    body: bytes
    date: str | None = None


class Transport:
    """Sends requests to one EMS. Safe to use from ``max_connections`` threads side by side.

    ``connect_timeout`` and ``read_timeout`` are in seconds; each request also has the caller's deadline. ``tls`` says
    how an https URL is trusted; None: by the system's authorities, with no certificate of ours. ``proxy`` is the URL
    of one. Proxies from the environment are not used, and redirects not followed: a request goes to the EMS or nowhere.

    ``url`` is for messages. ``certificate_warnings`` tells, a line each, which of our certificates expire within 30
    days, and a key that isn't ours alone. Certificates that can't be used are looked at again by each request: somebody
    may be replacing them.
    """

    def __init__(
        self,
        url: str,
        *,
        connect_timeout: float,
        read_timeout: float,
        max_connections: int,
        tls: Tls | None = None,
        proxy: str | None = None,
    ) -> None:
        self.max_connections = max_connections
        self._flow = Flow(max_connections)
        self.url = url.rstrip("/")
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._tls = (tls or Tls(None, None, None, None)) if url.lower().startswith("https:") else None
        self._proxy = proxy
        self.certificate_warnings: tuple[str, ...] = ()
        self._lock = Lock()
        self._session: BoundedSession | None = None
        with suppress(CertificateError):  # told to each request, as any failure is
            self._session = self._new_session()

    def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            self._session.close()

    def _usable_session(self) -> BoundedSession:
        with self._lock:
            if self._session is None:
                self._session = self._new_session()
            return self._session

    def _new_session(self) -> BoundedSession:
        context = server_name = None
        if self._tls is not None:
            from xio_slurm.ems.tls import trust  # noqa: PLC0415  # it loads cryptography, which few need

            server_name = self._tls.server_name
            trusted = trust(self._tls, datetime.now(UTC))
            context, self.certificate_warnings = trusted.context, trusted.warnings
        session = BoundedSession(self.max_connections, context=context, server_name=server_name, proxy=self._proxy)
        session.headers["Accept-Encoding"] = "identity"  # a few bytes can unpack to anything, or to nothing for ever
        if server_name is not None:
            session.headers["Host"] = _host_header(self.url, server_name)
        return session

    def request(self, method: str, path: str, deadline: Deadline, document: Any = None) -> Answer:
        """Send one request and read its whole answer.

        Raises EmsUnreachable when no whole answer came in time, and EmsUnreadable for one that is too large or packed.
        CertificateError, of the former, says that our certificates can't be used.
        """
        session = self._usable_session()
        what = shortened(f"{method} {path}", _WORDS)
        kind = f"{method} {path.rpartition('/')[0]}"
        with self._flow.turn(kind, deadline) as turn:
            prepare = partial(session.prepared, method, self.url + path, document)
            answer = self._exchange(session, prepare, what, deadline)
            turn.status = answer.status
        if self._tls is None and answer.status == 400 and any(words in answer.body for words in _WANTS_TLS):
            raise speaks_tls(self.url)
        return answer

    def _exchange(
        self, session: BoundedSession, prepare: Callable[[], requests.PreparedRequest], what: str, deadline: Deadline
    ) -> Answer:
        left = deadline.left()
        if left == 0.0:
            raise EmsUnreachable(f"{what}: no time was left to ask", sent=False)
        whole = deadline.sooner(self._connect_timeout + self._read_timeout)
        timeouts = (min(self._connect_timeout, left), min(self._read_timeout, left))
        try:
            with session.send(prepare(), timeout=timeouts, stream=True, allow_redirects=False, proxies={}) as response:
                body = _body(session, response, whole, what)
                return Answer(response.status_code, body, response.headers.get("Date"))
        except (requests.RequestException, HTTPError, OSError) as error:
            raise no_answer(error, what, url=self.url, tls=self._tls, proxy=self._proxy) from error


def _host_header(url: str, server_name: str) -> str:
    port = parse_url(url).port
    return server_name if port in {None, 443} else f"{server_name}:{port}"


def _body(session: BoundedSession, response: requests.Response, deadline: Deadline, what: str) -> bytes:
    packed = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packed not in {"", "identity"}:
        raise EmsUnreadable(f"{what}: the answer is packed ({one_line(packed)[:40]}), which wasn't asked for")
    try:
        with session.body_in_time(response, max(deadline.left(), _SHORTEST)):
            return _pieces(response, what)
    except TimeoutError:
        raise EmsUnreachable(f"{what}: the answer came too slowly", sent=True) from None


def _pieces(response: requests.Response, what: str) -> bytes:
    # Piece by piece, so that an endless answer is seen as one.
    pieces = []
    size = 0
    while piece := response.raw.read1(_PIECE, decode_content=False):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_ANSWER:
            raise EmsUnreadable(f"{what}: the answer is larger than {MAX_ANSWER // 1024**2} MiB")
    return b"".join(pieces)
