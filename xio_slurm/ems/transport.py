"""HTTP to the EMS: one pooled session for all threads, and every request bounded in time and size.

Nothing here knows what an answer means. Status codes are handed up as they are: the EMS uses 102 as a final answer,
which ``requests`` would count as a success.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import requests
from requests.exceptions import InvalidURL
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from xio_slurm.deadline import Deadline
from xio_slurm.ems.bounded_http import BoundedSession
from xio_slurm.errors import EmsUnreachable, EmsUnreadable

MAX_ANSWER: Final = 32 * 1024 * 1024
"""Bytes of one answer: room for a list of 100,000 VMs with all that the EMS may say of each."""

_PIECE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: its status, and its body as it came."""

    status: int
    body: bytes


class Transport:
    """Sends requests to one EMS. Safe to use from ``max_connections`` threads side by side.

    ``connect_timeout`` and ``read_timeout`` are in seconds; each request also has the caller's deadline. Proxies from
    the environment are not used, and redirects not followed: a request goes to the EMS or nowhere.
    """

    def __init__(self, url: str, *, connect_timeout: float, read_timeout: float, max_connections: int) -> None:
        self._url = url.rstrip("/")
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._session = BoundedSession(max_connections)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def request(self, method: str, path: str, deadline: Deadline, document: Any = None) -> Answer:
        """Send one request and read its whole answer.

        Raises EmsUnreachable when no whole answer came in time, and EmsUnreadable for one that is too large.
        """
        left = deadline.left()
        if left == 0.0:
            raise EmsUnreachable(f"{method} {path}: no time was left to ask", sent=False)
        whole = deadline.sooner(self._connect_timeout + self._read_timeout)
        timeouts = (min(self._connect_timeout, left), min(self._read_timeout, left))
        try:
            with self._session.request(
                method, self._url + path, json=document, timeout=timeouts, stream=True, allow_redirects=False
            ) as response:
                return Answer(response.status_code, _body(response, whole, f"{method} {path}"))
        except (requests.RequestException, HTTPError, OSError) as error:
            sent = _may_have_arrived(error)
            what = f"the answer to {method} {path} was lost" if sent else "can't be reached"
            raise EmsUnreachable(f"the EMS at {self._url}: {what}: {_cause(error)}", sent=sent) from error


def _body(response: requests.Response, deadline: Deadline, what: str) -> bytes:
    # Piece by piece, so that neither an endless answer nor one that drips holds us for ever.
    pieces = []
    size = 0
    while piece := response.raw.read1(_PIECE, decode_content=True):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_ANSWER:
            raise EmsUnreadable(f"{what}: the answer is larger than {MAX_ANSWER // 1024**2} MiB")
        if deadline.passed():
            raise EmsUnreachable(f"{what}: the answer came too slowly", sent=True)
    return b"".join(pieces)


def _may_have_arrived(error: Exception) -> bool:
    """Whether the EMS may have got the request: only a connection that was never made says no for certain."""
    return not any(isinstance(cause, NewConnectionError | ConnectTimeoutError | InvalidURL) for cause in _chain(error))


def _cause(error: BaseException) -> str:
    """The innermost reason in a line: urllib3 wraps it several times, with addresses of objects."""
    innermost = list(_chain(error))[-1]
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    if isinstance(innermost, TimeoutError):
        return "no answer in time"
    return str(innermost).replace("\n", " ")[:200] or type(innermost).__name__


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what lies under it: by Python's own chain, or where urllib3 and requests keep it."""
    for _ in range(10):
        if error is None:
            return
        yield error
        under = getattr(error, "reason", None) or error.__cause__ or error.__context__
        error = (
            under
            if isinstance(under, BaseException)
            else next((argument for argument in error.args if isinstance(argument, BaseException)), None)
        )
