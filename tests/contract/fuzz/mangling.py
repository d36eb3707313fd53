"""What a mangled answer is on the wire: its bytes, and how the connection goes on."""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from tests.contract.fuzz.junk import OWNED, changed, junk, poisoned, text_of

End = Literal["stay", "close", "reset", "silence", "drip"]

_HTML: Final = (
    b"<html><head><title>Sign in\x1b]0;owned\x07\r\n</title></head><body>please</body></html>",
    b"<!DOCTYPE html><title>&#27;]0;owned&#7; 502 Bad Gateway</title>",
    b"<title" * 2_000,
)
_STATUSES: Final = (
    *(101, 102, 102, 102, 199, 201, 202, 204, 205, 206, 207, 226, 300, 304, 305, 399, 400, 400, 401, 402, 403, 404),
    *(405, 407, 408, 409, 410, 413, 414, 418, 421, 425, 426, 429, 431, 451, 499, 500, 500, 500, 501, 502, 503, 503),
    *(504, 505, 507, 511, 520, 599, 600, 799, 999),
)
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_MIB: Final = 1024 * 1024
_BOMB: Final = gzip.compress(b" " * 40 * _MIB, 1)


@dataclass(frozen=True, slots=True)
class Wire:
    """``status`` and ``body`` are what a lenient client would read out of ``sent``; 0 where it can be nothing."""

    sent: bytes
    end: End = "stay"
    status: int = 0
    body: bytes = b""


def plain(status: int, body: bytes, headers: Mapping[str, str] | None = None, *, end: End = "stay") -> Wire:
    """An answer in good order."""
    lines = [f"HTTP/1.1 {status} Some", f"Content-Length: {len(body)}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if end != "stay":
        lines.append("Connection: close")
    bodiless = status in {204, 304} or 100 <= status < 200
    return Wire(_head(lines) + (b"" if bodiless else body), end, status, body)


def mangled(random: Random, status: int, body: bytes, trap: str) -> Wire:
    """The answer, made another. ``trap`` is a URL that nobody may ask, however much an answer sends him there."""
    kind = random.choices([*_KINDS], [weight for weight, _ in _KINDS.values()])[0]
    return _KINDS[kind][1](random, status, body, trap)


def _another_document(random: Random, status: int, body: bytes, trap: str) -> Wire:
    try:
        document = json.loads(body)
    except ValueError:
        document = {}
    return plain(status, json.dumps(changed(random, document)).encode())


def _poisoned_document(random: Random, status: int, body: bytes, trap: str) -> Wire:
    try:
        document = json.loads(body)
    except ValueError:
        document = {"Error": "none"}
    chance = random.choice((0.05, 0.2, 1.0))
    return plain(
        status,
        json.dumps(poisoned(random, document, chance), ensure_ascii=random.random() < 0.5).encode(
            "utf-8", "surrogatepass"
        ),
    )


def _no_such_document(random: Random, status: int, body: bytes, trap: str) -> Wire:
    return plain(random.choice((200, 200, 200, status)), text_of(random, junk(random)))


def _ill_written(random: Random, status: int, body: bytes, trap: str) -> Wire:
    try:
        document = json.loads(body)
    except ValueError:
        document = {}
    return plain(status, text_of(random, document))


def _another_status(random: Random, status: int, body: bytes, trap: str) -> Wire:
    bodies = (b"", body, json.dumps({"Error": junk(random)}).encode(), random.choice(_HTML), OWNED.encode() * 400)
    return plain(random.choice(_STATUSES), random.choice(bodies), end=random.choice(("stay", "close")))


def _redirect(random: Random, status: int, body: bytes, trap: str) -> Wire:
    places = (trap, f"{trap}/v1/xcompute/vms", "//evil.example/", "/v1/xcompute/vms", "file:///etc/passwd", "", OWNED)
    place = random.choice(places).replace("\x1b", "%1b").replace("\x07", "")
    return plain(random.choice(_REDIRECTS), random.choice((b"", body)), {"Location": place})


def _nothing(random: Random, status: int, body: bytes, trap: str) -> Wire:
    return random.choice((plain(200, b""), plain(200, b"null"), plain(200, b" \n"), Wire(b"", "close")))


def _page(random: Random, status: int, body: bytes, trap: str) -> Wire:
    return plain(random.choice((200, 400, 403, 500, 502, 504)), random.choice(_HTML))


def _wrong_length(random: Random, status: int, body: bytes, trap: str) -> Wire:
    length = random.choice(
        (
            str(len(body) + random.randrange(1, 99)),
            str(random.randrange(len(body) + 1)),
            "-1",
            "",
            "many",
            "1e3",
            f"{len(body)}, {len(body) + 1}",
            "9" * 30,
        )
    )
    lines = [f"HTTP/1.1 {status} OK", f"Content-Length: {length}"]
    return Wire(_head(lines) + body, "close", status, body)


def _ill_chunked(random: Random, status: int, body: bytes, trap: str) -> Wire:
    size = f"{len(body):x}".encode()
    chunks = random.choice(
        (
            size + b"\r\n" + body + b"\r\n0\r\n\r\n",
            size + b"\r\n" + body,
            b"zz\r\n" + body,
            b"-5\r\n" + body + b"\r\n0\r\n\r\n",
            b"ffffffffffffffff\r\n" + body,
            b"1;" + b"x" * 70_000 + b"\r\n{\r\n",
            body,
            b"",
        )
    )
    encoding = random.choice(("chunked", "chunked", "Chunked, gzip", "identity"))
    return Wire(_head([f"HTTP/1.1 {status} OK", f"Transfer-Encoding: {encoding}"]) + chunks, "close", status, body)


def _ill_packed(random: Random, status: int, body: bytes, trap: str) -> Wire:
    packed = random.choice((body, gzip.compress(body)[:-5], gzip.compress(body), _BOMB))
    encoding = random.choice(("gzip", "gzip", "deflate", "br", "gzip, gzip, gzip, gzip, gzip, gzip", OWNED[1:5]))
    sent = plain(status, packed, {"Content-Encoding": encoding})
    return Wire(sent.sent, "stay", status, body)


def _odd_head(random: Random, status: int, body: bytes, trap: str) -> Wire:
    length = f"Content-Length: {len(body)}"
    head = random.choice(
        (
            ["HTTP/1.1"],
            ["HTTP/1.1 abc OK", length],
            ["HTTP/1.1 99999 OK", length],
            ["HTTP/1.1 -1", length],
            [f"HTTP/1.1 500 {OWNED}", length],
            ["HTTP/9.9 200 OK", length],
            ["ICY 200 OK", length],
            ["200"],
            [f"HTTP/1.1 200 OK{'x' * 70_000}", length],
            ["HTTP/1.1 200 OK", length, *(f"X-{number}: y" for number in range(300))],
            ["HTTP/1.1 200 OK", length, f"X: {'y' * 70_000}"],
            ["HTTP/1.1 200 OK", length, f"X{OWNED}: y", "no colon at all", ": empty"],
            ["HTTP/1.1 200 OK", length, "Set-Cookie: a=b; Domain=.example", "Retry-After: 99999999", "Connection: ?"],
            ["HTTP/1.0 200 OK"],
            [],
        )
    )
    start = random.choice((b"", b"", b"\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x28", b"\xff\xfe\x00"))
    return Wire(start + _head(head) + body, "close", 200, body)


def _first_another(random: Random, status: int, body: bytes, trap: str) -> Wire:
    """An interim answer or two before the one; or a whole one after it, for the next request to read."""
    whole = plain(status, body).sent
    interim = random.choice((100, 100, 102, 103))
    before = b"".join(_head([f"HTTP/1.1 {interim} Soon"]) for _ in range(random.choice((1, 2, 30))))
    return Wire(random.choice((before + whole, whole + whole, before)), "close", status, body)


def _half(random: Random, status: int, body: bytes, trap: str) -> Wire:
    whole = plain(status, body).sent
    return Wire(whole[: random.randrange(len(whole))], random.choice(("close", "reset")), status, b"")


def _large(random: Random, status: int, body: bytes, trap: str) -> Wire:
    size = random.choice((1, 10, 10, 40)) * _MIB
    inner = random.choice((b"x", b"[", b" ")) * size
    return plain(random.choice((200, 200, 500)), random.choice((b'{"Vms": "%b"}', b"%b", b'{"JobId": "%b"}')) % inner)


def _slow(random: Random, status: int, body: bytes, trap: str) -> Wire:
    whole = plain(status, body).sent
    return Wire(whole, random.choice(("silence", "drip")), status, body)


def _dropped(random: Random, status: int, body: bytes, trap: str) -> Wire:
    return Wire(b"", random.choice(("close", "reset")))


_Mangling = Callable[[Random, int, bytes, str], Wire]

_KINDS: Final[dict[str, tuple[float, _Mangling]]] = {
    "another document": (25, _another_document),
    "poisoned document": (30, _poisoned_document),
    "no such document": (14, _no_such_document),
    "ill written": (10, _ill_written),
    "another status": (12, _another_status),
    "redirect": (2, _redirect),
    "nothing": (4, _nothing),
    "page": (3, _page),
    "wrong length": (3, _wrong_length),
    "ill chunked": (3, _ill_chunked),
    "ill packed": (1.5, _ill_packed),
    "odd head": (4, _odd_head),
    "first another": (3, _first_another),
    "half": (4, _half),
    "large": (0.3, _large),
    "slow": (0.3, _slow),
    "dropped": (4, _dropped),
}
"""How often, and what."""


def _head(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("utf-8", "surrogatepass")
