"""Faults on demand: which of them applies to a request. Doing them is the work of others.

A fault says which requests it means (``match``), what happens to them (``effect``) and how often. Several can apply
to one request: their latencies add up, and of the other effects the first of each kind wins.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random
from typing import Annotated, ClassVar, Final, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from xio_slurm.emulator.settings import ErrorBody, Seconds

_Positive = Annotated[int, Field(ge=1)]
_CREATE: Final = ("POST", "/v1/xcompute/vm")


class Match(BaseModel):
    """Which requests a fault means. What is left out matches all; the strings are globs (``*``, ``?``, ``[ab]``).

    ``path`` is without the query. A request with no node, pool or profile matches none of these globs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["GET", "POST", "PUT", "DELETE"] | None = None
    path: str | None = None
    node: str | None = None
    pool: str | None = None
    profile: str | None = None


class _Fault(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    match: Match = Match()
    times: _Positive | None = None
    """For how many matching requests; None: for ever."""
    skip: Annotated[int, Field(ge=0)] = 0
    """How many matching requests pass unharmed first."""
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    """How likely it is, at each matching request."""

    meant_for: ClassVar[tuple[str, str] | None] = None
    """Method and path glob of the only requests that the effect makes sense for."""


class Latency(_Fault):
    """The answer takes longer. ``when: after`` does what was asked for first."""

    effect: Literal["latency"]
    seconds: Seconds
    jitter: Seconds = 0.0
    when: Literal["before", "after"] = "before"


class Status(_Fault):
    """Another answer. Nothing is done, unless ``done``.

    The body is ``text`` as it stands, or else ``error`` in the form that ``body`` says.
    """

    effect: Literal["status"]
    status: Annotated[int, Field(ge=102, le=599)]
    error: str = "injected fault"
    body: ErrorBody | None = None
    """None: as the setting error_body says."""
    text: str | None = None
    content_type: str = "application/json"
    retry_after: int | None = None
    done: bool = False

    @model_validator(mode="after")
    def _final(self) -> Self:
        if 102 < self.status < 200:
            raise ValueError(f"status {self.status} is no final answer")
        return self


class Lost(_Fault):
    """The connection dies: before anything was done (request), or after (answer).

    ``how: reset`` sends a TCP reset, ``close`` ends the stream as a crashed server does.
    """

    effect: Literal["lost-request", "lost-answer"]
    how: Literal["reset", "close"] = "reset"


class Truncated(_Fault):
    """Half of the answer. ``json``: well-formed HTTP with half a document; ``body``: the connection dies half-way."""

    effect: Literal["truncated-json", "truncated-body"]


class HugeBody(_Fault):
    """An answer of so many bytes, valid JSON."""

    effect: Literal["huge-body"]
    bytes: _Positive = 64 * 1024 * 1024


class SlowDrip(_Fault):
    """The answer's body arrives in small pieces over so many seconds."""

    effect: Literal["slow-drip"]
    seconds: Seconds = 10.0


class NoCapacity(_Fault):
    """A POST of a VM is refused for want of capacity. (The other reading is never-boots.)"""

    meant_for = _CREATE
    effect: Literal["no-capacity"]
    status: Annotated[int, Field(ge=400, le=599)] = 503
    error: str = "insufficient capacity"


class NeverBoots(_Fault):
    """The VM asked for never gets an address."""

    meant_for = _CREATE
    effect: Literal["never-boots"]


class SlowBoot(_Fault):
    """The VM asked for takes so many seconds to boot."""

    meant_for = _CREATE
    effect: Literal["slow-boot"]
    seconds: Seconds


class SlowDelete(_Fault):
    """The VM is gone only so many seconds after its DELETE was answered. Applies to that DELETE."""

    meant_for = ("DELETE", "/v1/xcompute/vm/*")
    effect: Literal["slow-delete"]
    seconds: Seconds


class ScriptFails(_Fault):
    """The user data of the VM asked for isn't run, and counts as ended with this code."""

    meant_for = _CREATE
    effect: Literal["script-fails"]
    exit_code: Annotated[int, Field(ge=1, le=255)] = 1


class VmDies(_Fault):
    """The VM asked for vanishes, unasked, so many seconds after it was up."""

    meant_for = _CREATE
    effect: Literal["vm-dies"]
    seconds: Seconds


class ParseFails(_Fault):
    """The parse job asked for ends with this code (202: AMI not authorized, 203: it has ProductCodes)."""

    meant_for = ("POST", "/v1/xcompute/parse")
    effect: Literal["parse-fails"]
    code: Annotated[int, Field(ge=1, le=999)] = 202


class ParseNeverEnds(_Fault):
    """The parse job asked for runs for ever."""

    meant_for = ("POST", "/v1/xcompute/parse")
    effect: Literal["parse-never-ends"]


Fault = Annotated[
    Latency
    | Status
    | Lost
    | Truncated
    | HugeBody
    | SlowDrip
    | NoCapacity
    | NeverBoots
    | SlowBoot
    | SlowDelete
    | ScriptFails
    | VmDies
    | ParseFails
    | ParseNeverEnds,
    Field(discriminator="effect"),
]


@dataclass(frozen=True, slots=True)
class Subject:
    """What of a request a fault can match."""

    method: str
    path: str
    node: str | None = None
    pool: str | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Numbered:
    """A fault with its id, the matching requests it has seen, and those that it has harmed."""

    id: int
    fault: Fault
    seen: int = 0
    hits: int = 0


_F = TypeVar("_F", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Applied:
    """The faults that apply to one request."""

    faults: tuple[Numbered, ...] = ()

    def first(self, kind: type[_F]) -> _F | None:
        """The first of this kind."""
        return next((each.fault for each in self.faults if isinstance(each.fault, kind)), None)

    def every(self, kind: type[_F]) -> list[_F]:
        """All of this kind."""
        return [each.fault for each in self.faults if isinstance(each.fault, kind)]

    @property
    def ids(self) -> tuple[int, ...]:
        """Their ids, for the log of requests."""
        return tuple(each.id for each in self.faults)


def matches(fault: _Fault, subject: Subject) -> bool:
    """Whether a fault means this request."""
    if fault.meant_for is not None:
        method, path = fault.meant_for
        if method != subject.method or not fnmatchcase(subject.path, path):
            return False
    match = fault.match
    if match.method is not None and match.method != subject.method:
        return False
    pairs = (
        (match.path, subject.path),
        (match.node, subject.node),
        (match.pool, subject.pool),
        (match.profile, subject.profile),
    )
    return all(glob is None or (value is not None and fnmatchcase(value, glob)) for glob, value in pairs)


def choose(faults: Iterable[Numbered], subject: Subject, random: Random) -> tuple[list[Numbered], Applied]:
    """The faults with their counts brought up to date, and those that apply to this request."""
    counted: list[Numbered] = []
    applied: list[Numbered] = []
    for each in faults:
        if not matches(each.fault, subject):
            counted.append(each)
            continue
        hit = each.seen >= each.fault.skip and (each.fault.times is None or each.hits < each.fault.times)
        if hit and each.fault.probability < 1:
            hit = random.random() < each.fault.probability
        now = Numbered(each.id, each.fault, each.seen + 1, each.hits + hit)
        counted.append(now)
        if hit:
            applied.append(now)
    return counted, Applied(tuple(applied))
