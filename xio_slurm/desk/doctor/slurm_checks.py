"""Judges slurmctld, slurm.conf and the programs that it names. Pure."""

import shlex
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Final

from xio_slurm.deploy.programs import RESUME, SUSPEND
from xio_slurm.desk.doctor.finding import Area, Finding, error, note, warning
from xio_slurm.desk.doctor.seen import Seen, known
from xio_slurm.desk.looks import Unseen
from xio_slurm.naming import node_name, split_node_name
from xio_slurm.slurm.hostlist import fold
from xio_slurm.slurm.version import FINDS_ADDRESSES, PARTITION_TIMEOUTS, SILENCE_LASTS, Version
from xio_slurm.slurm.versions import SUPPORTED, release_of

_RESTART: Final = "systemctl restart slurmctld (running jobs survive that)"
_SHOWN: Final = 120
"""Characters of a hostlist in a line."""


def answers(seen: Seen) -> Iterator[Finding]:
    """Does slurmctld answer?"""
    if isinstance(seen.settings, Unseen):
        what = f"slurmctld doesn't answer: {seen.settings.why}"
        yield error(Area.SLURM, what, "systemctl status slurmctld, and the end of its log")


def includes(seen: Seen) -> Iterator[Finding]:
    """Does slurm.conf include the node definitions, and are they the manifest's?"""
    conf = known(seen.conf)
    for missing in conf.missing:
        what = f"{missing.line}: includes {missing.path}, which isn't there: slurmctld won't start again"
        yield error(Area.SLURM_CONF, what, "xio apply, if that is ours; else put the file there, or remove the line")
    ours = ours_of(seen)
    defined = _named_like_ours(seen, conf.nodes)
    if not ours & defined:
        if ours and not conf.missing:
            definitions = known(seen.definitions).path
            what = f"{conf.path}: no line includes the node definitions: slurmctld loses our nodes when it is restarted"
            line = shlex.quote(f"include {definitions}")
            yield error(Area.SLURM_CONF, what, f"echo {line} >> {conf.path}, then {_RESTART}")
    elif ours != defined:
        yield error(Area.MANIFEST, _differs(seen, ours, defined), f"xio apply, then {_RESTART}")


def _differs(seen: Seen, ours: frozenset[str], defined: frozenset[str]) -> str:
    if unknown := defined - ours:
        return f"{seen.manifest_path}: is stale: it doesn't know Slurm's {_some(unknown)}, so they can't get a VM"
    return f"{seen.manifest_path}: is stale: it has {_some(ours - defined)}, which slurm.conf doesn't define"


def files_belong_together(seen: Seen) -> Iterator[Finding]:
    """Are node definitions and manifest of one writing?"""
    definitions = known(seen.definitions)
    if not definitions.settled:
        what = f"{definitions.path}: an interrupted xio apply has left its files half in their places"
        yield error(Area.MANIFEST, what, "xio apply")
    elif definitions.digest is None:
        what = f"{definitions.path}: the node definitions aren't beside the manifest"
        yield warning(Area.MANIFEST, what, "xio apply, or name the right manifest with --manifest")
    elif seen.manifest.node_definitions_digest not in {"", definitions.digest}:
        what = f"{seen.manifest_path}: is stale: {definitions.path} isn't what was written with it"
        yield error(Area.MANIFEST, what, f"xio apply, then {_RESTART}")


def loaded(seen: Seen) -> Iterator[Finding]:
    """Does slurmctld run with the nodes and programs of slurm.conf, and with power saving?"""
    settings, conf = known(seen.settings), known(seen.conf)
    for key, program in (("ResumeProgram", RESUME), ("SuspendProgram", SUSPEND)):
        running, written = settings.get(key, ""), conf.get(key)
        if not running:
            what = f"slurmctld has no {key}: power saving is off, and no VM is made or deleted"
            yield error(Area.SLURM_CONF, what, _RESTART if written else "see to the include line first")
        elif written is not None and running != written:
            what = f"slurmctld calls {key}={running}, and slurm.conf says {written}"
            yield error(Area.SLURM_CONF, what, _RESTART)
        elif PurePath(running).name != program:
            what = f"slurmctld calls {key}={running}, not {program}: our nodes get no VM"
            yield error(Area.SLURM_CONF, what, "move the include of our node definitions behind the line that sets it")


def nodes(seen: Seen) -> Iterator[Finding]:
    """Has slurmctld loaded the nodes that slurm.conf defines?"""
    states = known(seen.registrations)
    defined = _named_like_ours(seen, known(seen.conf).nodes)
    running = _named_like_ours(seen, states)
    hidden = isinstance(seen.version, Version) and seen.version < SILENCE_LASTS and not _shows_cloud(seen)
    missing = frozenset() if hidden else defined - running
    if missing or (defined and running - defined):
        which = f"lacks {_some(missing)}" if missing else f"still has {_some(running - defined)}"
        yield error(Area.NODES, f"slurmctld runs with other nodes than slurm.conf defines: it {which}", _RESTART)


def programs(seen: Seen) -> Iterator[Finding]:
    """Can slurmctld call the programs, and do they read this manifest?"""
    found = known(seen.programs)
    for line in found.unusable:
        path = line.partition(": ")[0]
        repairable = "isn't executable" in line or "is writable for others" in line
        mend = f"chmod 755 {shlex.quote(path)}, then {_RESTART}" if repairable else f"see to {path}, or xio apply"
        yield error(Area.PROGRAMS, line, mend)
    if not found.read_manifest:
        what = f"{found.resume}: reads another manifest than {seen.manifest_path}, which is examined here"
        yield warning(Area.PROGRAMS, what, "name the one that it reads with --manifest")


def parameters(seen: Seen) -> Iterator[Finding]:
    """Is slurmctld told what cloud nodes need?"""
    settings = known(seen.settings)
    if "idle_on_node_suspend" not in settings.get("SlurmctldParameters", "").lower():
        what = "slurm.conf: SlurmctldParameters has no idle_on_node_suspend: a node that failed once stays DOWN"
        yield warning(Area.SLURM_CONF, what, f"add it, then {_RESTART}")
    version = known(seen.version)
    if version is not None and version < SILENCE_LASTS and not _shows_cloud(seen):
        what = f"slurm.conf: Slurm {version} hides powered-down nodes, from xio sync too"
        yield warning(Area.SLURM_CONF, what, "PrivateData=cloud, then scontrol reconfigure")
    if version is not None and version < FINDS_ADDRESSES:
        caches = "noaddrcache" not in settings.get("CommunicationParameters", "").lower()
        if caches:
            what = "slurm.conf: CommunicationParameters has no NoAddrCache: old addresses of nodes are used again"
            yield note(Area.SLURM_CONF, what, f"add it unless the nodes' names are in the DNS, then {_RESTART}")


def version(seen: Seen) -> Iterator[Finding]:
    """Is this Slurm one that is provided for, and without bugs that power saving meets?"""
    found = known(seen.version)
    if found is None:
        yield note(Area.VERSION, "which Slurm this is can't be read", "slurmctld -V")
    elif found < PARTITION_TIMEOUTS:
        what = f"Slurm {found} is too old: SuspendTime at partitions needs 21.08"
        yield error(Area.VERSION, what, "install a newer Slurm")
    elif (release := release_of(found)) is None:
        first, last = SUPPORTED[0].series, SUPPORTED[-1].series
        what = f"Slurm {found} isn't one that this xio-slurm is made for: those are {first} to {last}"
        yield note(Area.VERSION, what, "see whether there is a newer xio-slurm")
    else:
        for bug in release.bugs_of(found):
            yield warning(Area.VERSION, f"Slurm {found}: {bug.what}", f"install {bug.fixed} or newer")


def ours_of(seen: Seen) -> frozenset[str]:
    """The names of all nodes of the manifest."""
    prefix = seen.manifest.node_prefix
    return frozenset(node_name(prefix, pool.name, n) for pool in seen.manifest.pools for n in range(1, pool.size + 1))


def _named_like_ours(seen: Seen, names: Iterable[str]) -> frozenset[str]:
    prefix = seen.manifest.node_prefix
    return frozenset(name for name in names if split_node_name(prefix, name) is not None)


def _shows_cloud(seen: Seen) -> bool:
    return "cloud" in known(seen.settings).get("PrivateData", "").lower()


def _some(names: frozenset[str]) -> str:
    text = fold(names)
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return f"{len(names)} node{'' if len(names) == 1 else 's'} {shown}"
