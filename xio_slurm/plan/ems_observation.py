"""What the EMS has, before anything is planned: read only."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from xio_slurm.deadline import Deadline
from xio_slurm.ems.answers import document
from xio_slurm.ems.documents import ENVIRONMENTS, IMAGES, PROFILES, Document, Documents, Kind
from xio_slurm.ems.transport import Transport
from xio_slurm.ems.vms import Vms
from xio_slurm.errors import EmsError, EmsUnreadable
from xio_slurm.plain_text import listed as listed_names

_AT_ONCE: Final = 8
"""Requests side by side, where the configuration allows as many: a few dozen documents are there in a second."""

_ASKED_FOR_CONTROLLERS: Final = 10
_DEPTH: Final = 50
"""Objects within objects, at most. Profiles and environments have five; nobody should have to bear a thousand."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything on the EMS, other clusters' too. ``vms`` are node names; ``version`` None: the EMS doesn't tell."""

    profiles: tuple[Document, ...] = field(repr=False)
    environments: tuple[Document, ...] = field(repr=False)
    images: tuple[Document, ...] = field(repr=False)
    vms: frozenset[str]
    version: str | None


def observe(transport: Transport, deadline: Deadline) -> Observed:
    """List it all, and get each document whole: whether a list holds whole ones isn't known. Raises EmsError."""
    kinds = (PROFILES, ENVIRONMENTS, IMAGES)
    with _side_by_side(transport) as pool:
        vms = pool.submit(Vms(transport).names, deadline)
        version = pool.submit(_version, transport, deadline)
        lists = [pool.submit(Documents(transport, kind).all, deadline) for kind in kinds]
        whole = [
            [pool.submit(_whole, transport, kind, each, deadline) for each in _once(kind, listed.result())]
            for kind, listed in zip(kinds, lists, strict=True)
        ]
        profiles, environments, images = (tuple(each.result() for each in documents) for documents in whole)
        return Observed(profiles, environments, images, vms.result(), version.result())


def controllers_of(transport: Transport, nodes: Iterable[str], deadline: Deadline) -> tuple[str, ...]:
    """The names of the controllers that hold these VMs, as far as ten of them tell."""

    def controller(node: str) -> str | None:
        try:
            vm = Vms(transport).get(node, deadline)
        except EmsError:
            return None
        return vm.controller if vm is not None else None

    with _side_by_side(transport) as pool:
        found = pool.map(controller, sorted(nodes)[:_ASKED_FOR_CONTROLLERS])
        return tuple(sorted({name for name in found if name is not None}))


@contextmanager
def _side_by_side(transport: Transport) -> Iterator[ThreadPoolExecutor]:
    """Threads; what hasn't begun when one of them fails is not begun."""
    pool = ThreadPoolExecutor(max_workers=min(_AT_ONCE, transport.max_connections))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _once(kind: Kind, listed: tuple[Document, ...]) -> Iterable[Document]:
    return {each[kind.name_key]: each for each in reversed(listed)}.values()


def _whole(transport: Transport, kind: Kind, listed: Document, deadline: Deadline) -> Document:
    """The document as a GET tells it; as the list does, where the GET knows no such name."""
    name = listed[kind.name_key]
    found = Documents(transport, kind).get(name, deadline) or listed
    what = f"look up {kind.word} {listed_names([name])}"
    if found[kind.name_key] != name:
        raise EmsUnreadable(f"{what}: the EMS answered with another one")
    if _is_deeper(found, _DEPTH):
        raise EmsUnreadable(f"{what}: the EMS answered with more than {_DEPTH} objects in another")
    return found


def _is_deeper(value: Any, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        inner = [each.values() if isinstance(each, dict) else each for each in layer if isinstance(each, dict | list)]
        layer = [each for entries in inner for each in entries]
    return bool(layer)


def _version(transport: Transport, deadline: Deadline) -> str | None:
    """The EMS's version is only told, so that it is no reason to fail."""
    try:
        info = document(transport.request("GET", "/v1/xcompute/info", deadline), "look up the EMS's version")
    except EmsError:
        return None
    manifest = info.get("Manifest")
    version = manifest.get("copVersion") if isinstance(manifest, dict) else None
    return version if isinstance(version, str) and version else None
