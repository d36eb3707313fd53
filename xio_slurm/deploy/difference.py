"""What new files would change, in words. Pure; never shows what could be a secret (user data, mounts)."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from msgspec import structs

from xio_slurm.deploy.compile import Compiled
from xio_slurm.deploy.publish import MANIFEST, NODE_DEFINITIONS, Deployed
from xio_slurm.errors import ManifestError, SlurmError
from xio_slurm.manifest import Delegates, Manifest, RootPassword, Tls
from xio_slurm.slurm.conf import SlurmConf, parse
from xio_slurm.slurm.hostlist import expand, fold


class Kind(Enum):
    """What a change means to slurmctld."""

    NODES = "nodes"
    HARDWARE = "hardware"
    NODE = "node"
    PARTITION = "partition"
    SETTING = "setting"
    PROGRAMS = "programs"
    """Only the programs read it: slurmctld needs nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change, as a line for people."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes. ``first``: there were no node definitions. ``unknown``: why the old files can't tell everything."""

    changes: tuple[Change, ...]
    removed_nodes: tuple[str, ...]
    first: bool
    unknown: tuple[str, ...]

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of change that there are."""
        return frozenset(change.kind for change in self.changes)


@dataclass(frozen=True, slots=True)
class _Nodes:
    """One NodeName line: the nodes, and its other values by key."""

    pool: str
    names: tuple[str, ...]
    values: Mapping[str, str]


_SHOWN_KEYS: Final = {
    "cpus": "CPUs",
    "realmemory": "RealMemory",
    "weight": "Weight",
    "feature": "Feature",
    "state": "State",
    "maxtime": "MaxTime",
    "suspendtime": "SuspendTime",
    "suspendtimeout": "SuspendTimeout",
    "resumetimeout": "ResumeTimeout",
    "resumeprogram": "ResumeProgram",
    "suspendprogram": "SuspendProgram",
    "resumefailprogram": "ResumeFailProgram",
    "resumerate": "ResumeRate",
    "suspendrate": "SuspendRate",
}
_DELEGATES: Final = {
    "resume": "ResumeProgram of the nodes that aren't ours",
    "suspend": "SuspendProgram of the nodes that aren't ours",
    "resume_fail": "ResumeFailProgram of the nodes that aren't ours",
}
_HARDWARE: Final = frozenset({"cpus", "realmemory"})
_NOT_SHOWN: Final = frozenset({"user_data", "mounts", "ems_url"})
_TOLD_ELSEWHERE: Final = frozenset({"pools", "node_definitions_digest", "resume_timeout", "suspend_timeout"})


def compare(old: Deployed, new: Compiled) -> Difference:
    """The difference between what a folder holds and what would be written."""
    unknown: list[str] = []
    old_manifest = _manifest(old, unknown)
    old_conf = parse(old.node_definitions.decode(errors="replace") if old.node_definitions else "", NODE_DEFINITIONS)
    new_conf = parse(new.node_definitions, NODE_DEFINITIONS)
    before = _pools(old_conf, old_manifest or new.manifest, unknown)
    after = _pools(new_conf, new.manifest, unknown)
    changes = [
        *_node_changes(before, after),
        *_partition_changes(_records(old_conf, "partitionname"), _records(new_conf, "partitionname")),
    ]
    first = old.node_definitions is None
    if not first:
        changes += _setting_changes(old_conf, new_conf)
    if old_manifest is not None:
        changes += _manifest_changes(old_manifest, new.manifest)
    if not first:
        changes += _damage(old, new, bool(changes))
    kept = {name for nodes in after.values() for name in nodes.names}
    gone = tuple(name for nodes in before.values() for name in nodes.names if name not in kept)
    return Difference(tuple(changes), gone, first, tuple(unknown))


def _manifest(old: Deployed, unknown: list[str]) -> Manifest | None:
    if old.manifest is None:
        if old.node_definitions is not None:
            unknown.append(f"there is no old {MANIFEST}: what the programs were told before is unknown")
        return None
    try:
        return Manifest.from_json(old.manifest.decode(), MANIFEST)
    except UnicodeDecodeError:
        unknown.append(f"the old {MANIFEST} isn't text: what the programs were told before is unknown")
    except ManifestError as error:
        unknown.append(f"the old one is unknown: {error}")
    return None


def _pools(conf: SlurmConf, manifest: Manifest, unknown: list[str]) -> Mapping[str, _Nodes]:
    """Node lines by what their nodes' names have in common, ``<prefix><pool>``."""
    pools: dict[str, _Nodes] = {}
    for expression, values in _records(conf, "nodename").items():
        try:
            names = expand(expression)
        except SlurmError as error:
            unknown.append(f"the old {NODE_DEFINITIONS}: {error}")
            continue
        stem = names[0].rpartition("-")[0] if names else expression
        pools[stem] = _Nodes(stem.removeprefix(manifest.node_prefix), names, values)
    return pools


def _records(conf: SlurmConf, key: str) -> Mapping[str, Mapping[str, str]]:
    return {name: {other: value for other, value in line.pairs() if other != key} for name, line in conf.values(key)}


def _node_changes(before: Mapping[str, _Nodes], after: Mapping[str, _Nodes]) -> Iterator[Change]:
    for stem, nodes in before.items():
        if stem not in after:
            yield Change(Kind.NODES, f"- pool {nodes.pool} gone ({_count(len(nodes.names), 'node')})")
    for stem, nodes in after.items():
        if stem not in before:
            yield Change(Kind.NODES, f"+ {_count(len(nodes.names), 'node')} in new pool {nodes.pool}")
            continue
        old = before[stem]
        for sign, names in (("+", {*nodes.names} - {*old.names}), ("-", {*old.names} - {*nodes.names})):
            if names:
                yield Change(Kind.NODES, f"{sign} {_count(len(names), 'node')} in pool {nodes.pool} ({fold(names)})")
        for key, text in _values(old.values, nodes.values):
            yield Change(Kind.HARDWARE if key in _HARDWARE else Kind.NODE, f"pool {nodes.pool}: {text}")


def _partition_changes(
    before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]
) -> Iterator[Change]:
    for name in before:
        if name not in after:
            yield Change(Kind.PARTITION, f"- partition {name} gone")
    same: dict[str, list[str]] = {}
    for name, values in after.items():
        if name not in before:
            yield Change(Kind.PARTITION, f"+ partition {name}")
            continue
        for key, text in _values(before[name], values):
            if key != "nodes":  # told by the pools' nodes
                same.setdefault(text, []).append(name)
    for text, names in same.items():
        yield Change(Kind.PARTITION, f"partition {', '.join(names)}: {text}")


def _setting_changes(old: SlurmConf, new: SlurmConf) -> Iterator[Change]:
    before, after = (dict(_top(conf)) for conf in (old, new))
    for _, text in _values(before, after):
        yield Change(Kind.SETTING, text)


def _top(conf: SlurmConf) -> Iterator[tuple[str, str]]:
    for line in conf.lines:
        pairs = tuple(line.pairs())
        if pairs and pairs[0][0] not in {"nodename", "partitionname"}:
            yield pairs[0]


def _values(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key in (*after, *(key for key in before if key not in after)):
        if before.get(key) != after.get(key):
            yield key, f"{_SHOWN_KEYS.get(key, key)} {before.get(key, 'none')} → {after.get(key, 'none')}"


def _manifest_changes(old: Manifest, new: Manifest) -> Iterator[Change]:
    for field in structs.fields(Manifest):
        if field.name in _TOLD_ELSEWHERE:
            continue
        for words, was, now in _parts(field.name, getattr(old, field.name), getattr(new, field.name)):
            if was != now:
                text = "changed" if field.name in _NOT_SHOWN else f"{_shown(was)} → {_shown(now)}"
                yield Change(Kind.PROGRAMS, f"{words}: {text}")
    before = {pool.name: pool for pool in old.pools}
    for pool in new.pools:
        was = before.get(pool.name)
        if was is None:
            continue
        for field in structs.fields(pool):
            if field.name in {"name", "size", "cpus"}:
                continue
            values = getattr(was, field.name), getattr(pool, field.name)
            if values[0] != values[1]:
                text = f"pool {pool.name}: {_words(field.name)} {_shown(values[0])} → {_shown(values[1])}"
                yield Change(Kind.PROGRAMS, text)


def _parts(name: str, was: object, now: object) -> Iterator[tuple[str, object, object]]:
    """What is told of one of the manifest's values: of the delegates, say, each program for itself."""
    group = next((value for value in (was, now) if isinstance(value, Delegates | Tls | RootPassword)), None)
    if group is None:
        yield _words(name), was, now
        return
    for field in structs.fields(group):
        words = _DELEGATES.get(field.name, f"{_words(name)} {_words(field.name)}")
        yield words, getattr(was, field.name, None), getattr(now, field.name, None)


def _damage(old: Deployed, new: Compiled, told: bool) -> Iterator[Change]:
    """Differences that no value explains: a file gone, edited by hand, or broken."""
    manifest, definitions = new.manifest.to_json().encode(), new.node_definitions.encode()
    if old.manifest is None:
        yield Change(Kind.PROGRAMS, f"+ {MANIFEST}")
    elif old.manifest != manifest and not told:
        yield Change(Kind.PROGRAMS, f"{MANIFEST} is made anew")
    if old.node_definitions is not None and old.node_definitions != definitions and not told:
        yield Change(Kind.SETTING, f"{NODE_DEFINITIONS} is made anew")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _words(name: str) -> str:
    words = name.replace("_", " ").replace("ems url", "EMS URL").replace("dir", "folder")
    return words.replace("cpus", "CPUs").replace("tls", "TLS")


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return shlex.join(map(str, value))
    return "none" if value is None else str(value)
