"""Servers that no library expects: whatever is sent, a request ends in time and in one kind of error."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from xio_slurm.deadline import Deadline
from xio_slurm.ems.transport import MAX_ANSWER, Answer, Transport
from xio_slurm.errors import EmsError, EmsUnreachable, EmsUnreadable

Serve = Callable[[Callable[[socket.socket], None]], Transport]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server that treats each connection as it is told, and a transport to it with timeouts of a second."""
    sockets: list[socket.socket] = []

    def start(handle: Callable[[socket.socket], None]) -> Transport:
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)
        threading.Thread(target=_accept, args=(listening, handle), daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        return Transport(url, connect_timeout=1, read_timeout=1, max_connections=2)

    yield start
    for listening in sockets:
        listening.close()


def _accept(listening: socket.socket, handle: Callable[[socket.socket], None]) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            try:
                connection.recv(65536)
                handle(connection)
            except OSError:
                continue


def _sending(*pieces: bytes, pause: float = 0.0, times: int = 1) -> Callable[[socket.socket], None]:
    def handle(connection: socket.socket) -> None:
        for piece in pieces[:-1]:
            connection.sendall(piece)
        for _ in range(times):
            connection.sendall(pieces[-1])
            time.sleep(pause)

    return handle


HANGING = {
    "nothing": _sending(b"", pause=20),
    "a header now and then": _sending(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", pause=0.3, times=60),
    "continue for ever": _sending(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.3, times=60),
    "a body that drips": _sending(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"x", pause=0.3, times=60),
    "a chunk's extension that drips": _sending(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;", b"a", pause=0.3, times=60
    ),
    "trailers that drip": _sending(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"a: b\r\n", pause=0.3, times=60
    ),
    "a redirect that drips": _sending(
        b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 100\r\n\r\n", b"x", pause=0.3, times=60
    ),
}


@pytest.mark.parametrize("what", HANGING)
def test_what_does_not_end_is_given_up_in_time(serve: Serve, what: str) -> None:
    transport = serve(HANGING[what])
    started = time.monotonic()
    with pytest.raises(EmsUnreachable) as caught:
        transport.request("GET", "/x", Deadline.after(60))
    assert time.monotonic() - started < 15
    assert caught.value.sent
    assert "\n" not in str(caught.value)


BROKEN = {
    "closed": _sending(b""),
    "truncated": _sending(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"),
    "no http": _sending(b"\x00\xff" * 100),
    "bad status": _sending(b"HTTP/1.1 abc OK\r\n\r\n"),
    "bad chunk": _sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_one_line(serve: Serve, what: str) -> None:
    with pytest.raises(EmsError) as caught:
        serve(BROKEN[what]).request("GET", "/x", Deadline.after(10))
    assert "\n" not in str(caught.value)


def test_two_lengths_leave_no_socket_open(serve: Serve) -> None:
    transport = serve(_sending(b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n{}"))
    before = _open_files()
    kept = []  # with their tracebacks, in which all that was left would live on
    for _ in range(5):
        with pytest.raises(EmsUnreachable, match="Content-Length") as caught:
            transport.request("GET", "/x", Deadline.after(10))
        kept.append(caught.value)
    end = time.monotonic() + 5
    while _open_files() > before and time.monotonic() < end:
        time.sleep(0.01)  # the server closes its own ends
    assert _open_files() <= before


def _open_files() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


@pytest.mark.parametrize("location", ["http://127.0.0.1:1/", "/x", "http://["])
def test_a_redirect_is_an_answer_and_not_followed(serve: Serve, location: str) -> None:
    answer = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    assert serve(_sending(answer)).request("GET", "/x", Deadline.after(10)) == Answer(302, b"")


def test_102_is_an_answer(serve: Serve) -> None:
    answer = serve(_sending(b"HTTP/1.1 102 Processing\r\n\r\n")).request("GET", "/x", Deadline.after(10))
    assert answer == Answer(102, b"")


def test_an_answer_without_end_is_refused(serve: Serve) -> None:
    endless = _sending(
        b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", b"x" * 1024 * 1024, times=MAX_ANSWER // 1024**2 * 2
    )
    with pytest.raises((EmsUnreadable, EmsUnreachable)):
        serve(endless).request("GET", "/x", Deadline.after(10))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://nowhere.invalid", "http://a b", "http://127.0.0.1:x"]
)
def test_a_request_that_was_never_sent_is_known_not_to_be(url: str) -> None:
    transport = Transport(url, connect_timeout=1, read_timeout=1, max_connections=1)
    with pytest.raises(EmsUnreachable) as caught:
        transport.request("POST", "/x", Deadline.after(10), {})
    assert not caught.value.sent


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_request_is_sent_once_whatever_becomes_of_it(serve: Serve, method: str) -> None:
    sent: list[socket.socket] = []
    transport = serve(sent.append)
    with pytest.raises(EmsUnreachable):
        transport.request(method, "/x", Deadline.after(10), {})
    answer = b"HTTP/1.1 503 No\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    def refuse(connection: socket.socket) -> None:
        sent.append(connection)
        connection.sendall(answer)

    transport = serve(refuse)
    assert transport.request(method, "/x", Deadline.after(10), {}).status == 503
    assert len(sent) == 2


def test_a_packed_answer_is_refused_unread(serve: Serve) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\3"
    transport = serve(_sending(head, b"\0\0\0\xff\xff", pause=0.3, times=60))
    started = time.monotonic()
    with pytest.raises(EmsUnreadable, match=r"GET /x: the answer is packed \(gzip\)"):
        transport.request("GET", "/x", Deadline.after(60))
    assert time.monotonic() - started < 15


def test_nothing_packed_is_asked_for_and_no_cookie_is_kept(serve: Serve) -> None:
    heads: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        for _ in range(2):
            connection.sendall(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 2\r\n\r\n{}")
            heads.append(connection.recv(65536))

    transport = serve(handle)
    for _ in range(2):
        transport.request("GET", "/x", Deadline.after(10))
    assert b"Accept-Encoding: identity\r\n" in heads[0]
    assert b"Cookie:" not in heads[0]


def test_after_the_deadline_nothing_is_sent(serve: Serve) -> None:
    with pytest.raises(EmsUnreachable, match="no time was left") as caught:
        serve(_sending(b"")).request("POST", "/x", Deadline.after(0), {})
    assert not caught.value.sent


def test_a_proxy_of_the_environment_is_not_used(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    answer = _sending(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    assert serve(answer).request("GET", "/x", Deadline.after(10)) == Answer(200, b"{}")
