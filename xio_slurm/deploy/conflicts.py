"""Where new node definitions and the cluster's slurm.conf don't go together. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from xio_slurm.deploy.former_scripts import is_their_include, is_their_program
from xio_slurm.manifest import Delegates
from xio_slurm.slurm.conf import Line, SlurmConf
from xio_slurm.slurm.hostlist import fold


@dataclass(frozen=True, slots=True)
class Conflicts:
    """``errors``: slurmctld would end itself. ``warnings``: it would do something else than meant. One line each."""

    errors: tuple[str, ...]
    warnings: tuple[str, ...]


_PROGRAMS: Final = {
    "ResumeProgram": ("DelegateResumeProgram", "resume"),
    "SuspendProgram": ("DelegateSuspendProgram", "suspend"),
    "ResumeFailProgram": ("DelegateResumeFailProgram", "resume_fail"),
}


def conflicts(conf: SlurmConf, ours: SlurmConf, delegates: Delegates) -> Conflicts:
    """``conf`` is slurm.conf read without our file, ``ours`` the parsed new node definitions.

    Raises SlurmError for a list of nodes in slurm.conf that can't be read.
    """
    errors = [
        *(
            f"{missing.line}: includes {missing.path}, which doesn't exist: slurmctld won't start"
            for missing in conf.missing
        ),
        *_defined_by_former_scripts(conf, ours),
        *_defined_twice("node", conf.nodes, ours.nodes),
        *_defined_twice("partition", conf.partitions, ours.partitions),
        *_defined_twice("node", conf.nodesets, ours.nodes),
    ]
    warnings = [*_programs(conf, ours, delegates), *_defaults(conf), *_configless(conf), *_failed_nodes(conf)]
    return Conflicts(tuple(errors), tuple(warnings))


def _defined_by_former_scripts(conf: SlurmConf, ours: SlurmConf) -> Iterator[str]:
    """One line for each file of theirs: it goes as a whole."""
    theirs = {**conf.nodesets, **conf.nodes}
    nodes = Counter(theirs[name].file for name in ours.nodes if name in theirs)
    partitions = Counter(conf.partitions[name].file for name in ours.partitions if name in conf.partitions)
    for file in filter(is_their_include, nodes | partitions):
        yield (
            f"{file}: the former scripts' node definitions, with {nodes[file]} of our nodes and"
            f" {partitions[file]} of our partitions: take the line away that includes it in slurm.conf"
        )


def _defined_twice(what: str, theirs: Mapping[str, Line], ours: Iterable[str]) -> Iterator[str]:
    by_line: dict[Line, list[str]] = {}
    for name in ours:
        if name in theirs and not is_their_include(theirs[name].file):
            by_line.setdefault(theirs[name], []).append(name)
    for line, names in by_line.items():
        yield f"{what} {fold(names)}: defined already at {line}: give the pool another name, or take that line away"


def _programs(conf: SlurmConf, ours: SlurmConf, delegates: Delegates) -> Iterator[str]:
    for key, (setting, field) in _PROGRAMS.items():
        own = ours.get(key)
        # Of the former scripts' programs the delegation tells.
        others = [(value, line) for value, line in conf.values(key) if value != own and not is_their_program(value)]
        for value, line in others:
            if conf.included is not None and conf.lines.index(line) >= conf.included:
                at = conf.included_at
                yield f"{line}: sets {key} behind {at}, which includes ours, and the last one counts: move the include"
            elif (value, line) == others[-1] and value != getattr(delegates, field):
                yield (
                    f"{line}: sets {key}={value}, and ours takes its place: set {setting} to it, or its nodes are lost"
                )


def _defaults(conf: SlurmConf) -> Iterator[str]:
    end = len(conf.lines) if conf.included is None else conf.included
    for line in conf.lines[:end]:
        pairs = tuple(line.pairs())
        if len(pairs) > 1 and pairs[0][0] in {"nodename", "partitionname"} and pairs[0][1].lower() == "default":
            keys = ", ".join(key for key, _ in pairs[1:])
            what = "nodes" if pairs[0][0] == "nodename" else "partitions"
            yield f"{line}: its defaults ({keys}) hold for our {what} too: move the include before it if they mustn't"


def is_configless(conf: SlurmConf) -> bool:
    """Whether slurmctld ships its configuration to the other nodes."""
    return "enable_configless" in (conf.get("SlurmctldParameters") or "").lower()


def _configless(conf: SlurmConf) -> Iterator[str]:
    if conf.included_at is None or not is_configless(conf):
        return
    name = conf.included_at.text.split()[1]
    if "/" in name:
        yield (
            f"{conf.included_at}: a configless slurmctld ships only includes without a '/' in their name:"
            f" put a link to {name} beside slurm.conf and include that"
        )


def _failed_nodes(conf: SlurmConf) -> Iterator[str]:
    if "idle_on_node_suspend" not in (conf.get("SlurmctldParameters") or "").lower():
        yield (
            f"{conf.path}: SlurmctldParameters has no idle_on_node_suspend: a node that failed once stays DOWN"
            " until somebody resumes it"
        )
