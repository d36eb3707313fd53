"""Finds what is ours in a file, and holds every part of it against the schema by itself.

Part by part, so that one bad key costs the checks of its own entry and no more.
"""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from xio_slurm.config.nodes import KeyPath
from xio_slurm.config.plain import Odd, Plain
from xio_slurm.config.problems import Problems
from xio_slurm.config.schema import (
    ClusterKeys,
    ControllerKeys,
    ImageKeys,
    Keys,
    MountKeys,
    PluginKeys,
    PoolKeys,
    ProfileKeys,
    SectionKeys,
    WorkerKeys,
)
from xio_slurm.config.source import Source
from xio_slurm.config.validate import Model, explain_type, nearest, validate
from xio_slurm.naming import Product

_PRODUCTS: Final[dict[str, Product]] = {"Xio": "xio", "Xwo": "xwo"}
_PARTS: Final = ("Images", "Profiles", "Pools", "Controllers", "Workers", "Plugin")
_MOUNTS: Final[KeyPath] = ("slurm", "storage", "ExtraMounts")

Part_co = TypeVar("Part_co", bound=Keys, covariant=True)


@dataclass(frozen=True, slots=True)
class Entry(Generic[Part_co]):
    """A part of the file that the schema has accepted, and where it stands."""

    path: KeyPath
    keys: Part_co


@dataclass(frozen=True, slots=True)
class Section:
    """The whole of ``slurm: Xio:``, key by key valid. Entries that weren't are missing, but their names are known."""

    product: Product
    path: KeyPath
    keys: SectionKeys
    images: tuple[Entry[ImageKeys], ...]
    profiles: tuple[Entry[ProfileKeys], ...]
    profile_names: frozenset[str]
    pools: tuple[Entry[PoolKeys], ...]
    pool_names: frozenset[str]
    controllers: Entry[ControllerKeys]
    workers: Entry[WorkerKeys]
    plugin: Entry[PluginKeys]
    mounts: tuple[Entry[MountKeys], ...]
    cluster: str | None


def read_section(source: Source, problems: Problems) -> Section | None:
    """Everything of ours in the file; None if there is no section to speak of."""
    name = _find(source, problems)
    if name is None:
        return None
    path: KeyPath = ("slurm", name)
    plain = source.plain(path)
    if not isinstance(plain, dict):
        problems.error(path, *explain_type(plain or Odd("null", ""), "a mapping of keys"))
        return None
    keys = validate(SectionKeys, {key: value for key, value in plain.items() if key not in _PARTS}, path, problems)
    profiles = _named(plain, path, "Profiles", "ProfileName", problems)
    pools = _named(plain, path, "Pools", "PoolName", problems)
    return Section(
        product=_PRODUCTS[name],
        path=path,
        keys=keys,
        images=_entries(ImageKeys, _listed(plain.get("Images", []), (*path, "Images"), problems), problems),
        profiles=_entries(ProfileKeys, profiles, problems),
        profile_names=_names(profiles, "ProfileName"),
        pools=_entries(PoolKeys, pools, problems),
        pool_names=_names(pools, "PoolName"),
        controllers=_one(ControllerKeys, plain, path, "Controllers", problems),
        workers=_one(WorkerKeys, plain, path, "Workers", problems),
        plugin=_one(PluginKeys, plain, path, "Plugin", problems),
        mounts=_read_mounts(source, problems),
        cluster=_read_cluster(source, problems),
    )


def _find(source: Source, problems: Problems) -> str | None:
    keys = source.names(("slurm",))
    found = [name for name in _PRODUCTS if name in keys]
    if len(found) == 1:
        return found[0]
    if found:
        problems.error(("slurm", "Xwo"), "stands beside Xio, and a cluster has only one of them", "keep one of them")
        return None
    if not keys and "slurm" in source.names():
        problems.error(("slurm",), "has no keys", "write 'Xio:' below it, as in etc/xio.yaml")
    elif "slurm" in source.names():
        near = next((key for key in keys if nearest(key, _PRODUCTS)), None)
        hint = f"did you mean {nearest(near, _PRODUCTS)} where {near} stands?" if near else "see etc/xio.yaml"
        problems.error(("slurm",), "has neither Xio nor Xwo", hint)
    elif outside := next((key for key in source.names() if nearest(key, _PRODUCTS)), None):
        problems.error((outside,), "stands at the top of the file", "put 'slurm:' above it, and indent it")
    else:
        near = nearest("slurm", source.names())
        hint = f"did you mean slurm where {near} stands?" if near else "see etc/xio.yaml"
        problems.error(("slurm",), "is missing", hint)
    return None


Placed = tuple[KeyPath, Plain]


def _listed(plain: Plain, path: KeyPath, problems: Problems) -> list[Placed]:
    if not isinstance(plain, list):
        problems.error(path, *explain_type(plain, "a list"))
        return []
    return [((*path, index), entry) for index, entry in enumerate(plain)]


def _named(plain: dict[str, Plain], path: KeyPath, key: str, name: str, problems: Problems) -> list[Placed]:
    """The entries of a list, or of a mapping by name: those get their name as a key."""
    entries = plain.get(key, [])
    if not isinstance(entries, dict):
        return _listed(entries, (*path, key), problems)
    placed: list[Placed] = []
    for title, entry in entries.items():
        place = (*path, key, title)
        if isinstance(entry, dict):
            if entry.get(name, title) != title:
                problems.error((*place, name), f"is another name than the entry's own, {title}", f"take {name} out")
            placed.append((place, {**entry, name: title}))
        else:
            placed.append((place, entry))
    return placed


def _names(placed: list[Placed], key: str) -> frozenset[str]:
    names = (entry.get(key) for _, entry in placed if isinstance(entry, dict))
    return frozenset(name for name in names if isinstance(name, str))


def _entries(model: type[Model], placed: list[Placed], problems: Problems) -> tuple[Entry[Model], ...]:
    entries = []
    for path, plain in placed:
        if not isinstance(plain, dict):
            problems.error(path, *explain_type(plain, "a mapping of keys"))
        else:
            entries.append(Entry(path, validate(model, plain, path, problems)))
    return tuple(entries)


def _one(model: type[Model], plain: dict[str, Plain], path: KeyPath, key: str, problems: Problems) -> Entry[Model]:
    found = _entries(model, [((*path, key), plain.get(key, {}))], problems)
    return found[0] if found else Entry((*path, key), model())


def _read_mounts(source: Source, problems: Problems) -> tuple[Entry[MountKeys], ...]:
    plain = source.plain(_MOUNTS)
    return () if plain is None else _entries(MountKeys, _listed(plain, _MOUNTS, problems), problems)


def _read_cluster(source: Source, problems: Problems) -> str | None:
    plain = source.plain(("slurm", "ClusterName"))
    if plain is None:
        return None
    return validate(ClusterKeys, {"ClusterName": plain}, ("slurm",), problems).cluster_name
