"""What the EMS has, before anything is planned: read only."""

from collections.abc import Iterable, Iterator, Mapping
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
    """Everything on the EMS, other clusters' too. ``vms`` are node names; ``version`` None: the EMS doesn't tell.

    ``unread`` are other clusters' environments whose pools the EMS doesn't tell.
    """

    profiles: tuple[Document, ...] = field(repr=False)
    environments: tuple[Document, ...] = field(repr=False)
    images: tuple[Document, ...] = field(repr=False)
    vms: frozenset[str]
    version: str | None
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ours:
    """The names of what a plan could change. ``profiles``: the template's, too."""

    profiles: frozenset[str]
    environment: str
    images: frozenset[str]


def observe(transport: Transport, ours: Ours, deadline: Deadline) -> Observed:
    """List it all, and get ours whole: whether a list holds whole documents isn't known. Raises EmsError.

    Of others' only names, tags and pools matter, so that their entries in the list will do, however odd the rest of
    them is; but ownership hangs on an environment's pools, so one that is listed without them is asked for.
    """
    with _side_by_side(transport) as pool:
        vms = pool.submit(Vms(transport).names, deadline)
        version = pool.submit(_version, transport, deadline)
        lists = [pool.submit(Documents(transport, kind).all, deadline) for kind in (PROFILES, ENVIRONMENTS, IMAGES)]
        profiles, environments, images = ([*listed.result()] for listed in lists)
        own = own_environment(environments, ours.environment)
        names = frozenset[str]() if own is None else frozenset({own[ENVIRONMENTS.name_key]})
        untold = [name for each in environments if (name := each["EnvName"]) not in names and each.get("Pools") is None]
        whole = [
            {name: pool.submit(_whole, transport, kind, name, deadline) for name in _names(kind, listed) & wanted}
            for kind, listed, wanted in (
                (PROFILES, profiles, ours.profiles),
                (ENVIRONMENTS, environments, names),
                (IMAGES, images, ours.images),
            )
        ]
        asked = {name: pool.submit(_if_told, transport, name, deadline) for name in untold}
        others = {name: found for name, each in asked.items() if (found := each.result()) is not None}
        found_profiles, found_environments, found_images = (
            {name: found for name, each in of_kind.items() if (found := each.result()) is not None} for of_kind in whole
        )
        return Observed(
            _with(PROFILES, profiles, found_profiles),
            _with(ENVIRONMENTS, environments, others | found_environments),
            _with(IMAGES, images, found_images),
            vms.result(),
            version.result(),
            tuple(name for name in untold if name not in others),
        )


def own_environment(environments: Iterable[Document], cluster: str) -> Document | None:
    """The environment of a cluster; its name in other capitals is the same, as an EMS may keep it so."""
    alike = [each for each in environments if str(each[ENVIRONMENTS.name_key]).casefold() == cluster.casefold()]
    return next((each for each in alike if each[ENVIRONMENTS.name_key] == cluster), alike[0] if alike else None)


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


def _names(kind: Kind, listed: Iterable[Document]) -> frozenset[str]:
    return frozenset(each[kind.name_key] for each in listed)


def _with(kind: Kind, listed: Iterable[Document], found: Mapping[str, Document]) -> tuple[Document, ...]:
    """Each of a list once: as a GET told it, else as it was listed."""
    first = {each[kind.name_key]: each for each in reversed([*listed])}
    return tuple(found.get(name, each) for name, each in reversed(first.items()))


def _whole(transport: Transport, kind: Kind, name: str, deadline: Deadline) -> Document | None:
    """The document as a GET tells it; None where the GET knows no such name."""
    found = Documents(transport, kind).get(name, deadline)
    what = f"look up {kind.word} {listed_names([name])}"
    if found is not None and found[kind.name_key] != name:
        raise EmsUnreadable(f"{what}: the EMS answered with another one")
    if _is_deeper(found, _DEPTH):
        raise EmsUnreadable(f"{what}: the EMS answered with more than {_DEPTH} objects in another")
    return found


def _if_told(transport: Transport, environment: str, deadline: Deadline) -> Document | None:
    """Another cluster's environment; None where the EMS doesn't tell it."""
    try:
        return _whole(transport, ENVIRONMENTS, environment, deadline)
    except EmsError:
        return None


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
