"""Why no answer came, in a line, and whether the EMS may have got the request all the same."""

from collections.abc import Iterator
from http.client import BadStatusLine

from requests.exceptions import InvalidURL
from urllib3.exceptions import LocationValueError
from urllib3.util import parse_url

from xio_slurm.ems.bounded_http import NotConnectedError
from xio_slurm.ems.tls_refusals import no_handshake, turned_away
from xio_slurm.errors import EmsUnreachable
from xio_slurm.manifest import Tls
from xio_slurm.plain_text import one_line


def no_answer(error: Exception, what: str, *, url: str, tls: Tls | None, proxy: str | None) -> EmsUnreachable:
    """The error for what a library raised. ``what`` is the request; ``tls`` is None for an http URL."""
    causes = tuple(_chain(error))
    if tls is None and any(_is_tls_record(cause) for cause in causes):
        return speaks_tls(url)
    unconnected = next((cause for cause in causes if isinstance(cause, NotConnectedError)), None)
    if tls is not None:
        told = turned_away(causes, tls)
        if told is None and unconnected is not None and not unconnected.at_proxy:
            told = no_handshake(causes, tls, tls.server_name or parse_url(url).host or url)
        if told is not None:
            return EmsUnreachable(f"the EMS at {url}: {told}", sent=False)
    # Only a connection that was never made says for certain that the EMS hasn't got the request.
    sent = unconnected is None and not any(isinstance(cause, InvalidURL | LocationValueError) for cause in causes)
    through = "" if proxy is None else f" through the proxy {parse_url(proxy)._replace(auth=None).url}"
    told = f"the answer to {what} was lost" if sent else f"can't be reached{through}"
    return EmsUnreachable(f"the EMS at {url}: {told}: {_cause(causes)}", sent=sent)


def speaks_tls(url: str) -> EmsUnreachable:
    """The error for plain HTTP to a port of TLS, which nobody there could read."""
    return EmsUnreachable(f"the EMS at {url}: it speaks TLS on this port: write https:// in EmsUrl", sent=False)


def _is_tls_record(cause: BaseException) -> bool:
    """Whether an answer that is no HTTP is a TLS alert."""
    return isinstance(cause, BadStatusLine) and "\x15\x03" in str(cause)


def _cause(causes: tuple[BaseException, ...]) -> str:
    """The innermost reason in a line: urllib3 wraps it several times, with addresses of objects."""
    innermost = causes[-1]
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    if isinstance(innermost, TimeoutError):
        return "no answer in time"
    # What came instead of an answer is quoted in it, as it came.
    return one_line(str(innermost)[:200]) or type(innermost).__name__


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what lies under it: by Python's own chain, or where urllib3 and requests keep it."""
    for _ in range(10):
        if error is None:
            return
        yield error
        context = None if error.__suppress_context__ else error.__context__
        under = getattr(error, "reason", None) or error.__cause__ or context
        error = (
            under
            if isinstance(under, BaseException)
            else next((argument for argument in error.args if isinstance(argument, BaseException)), None)
        )
