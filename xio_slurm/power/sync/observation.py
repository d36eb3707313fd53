"""One look at everything: Slurm's nodes, the EMS's VMs and the ledger, each in one go."""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.ems.vms import Vms
from xio_slurm.errors import EmsError, LedgerError, SlurmError
from xio_slurm.ledger import Entry, Ledger
from xio_slurm.manifest import Manifest
from xio_slurm.naming import split_node_name
from xio_slurm.power.sync.clock_jumps import Jump
from xio_slurm.power.sync.notices import Problem
from xio_slurm.slurm.controller import Controller
from xio_slurm.slurm.hostlist import fold
from xio_slurm.slurm.states import NodeState
from xio_slurm.slurm.version import SILENCE_LASTS, installed

log = logging.getLogger("xio_slurm")

_SKEW: Final = 60.0
"""Seconds by which the clocks of two controllers may differ."""

_SHOWN: Final = 200
"""Characters of a hostlist that a message shows."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen. ``time`` is when the look began, in seconds since 1970: a program called later knows better.

    ``states`` has every node that Slurm knows; ``vms`` the names of every VM of the EMS, None where it couldn't list
    them; ``entries`` the ledger's of nodes, and ``damaged`` the nodes whose entry can't be read. The VMs of ``xio vm
    test`` are that command's. ``silence_lasts``: whether Slurm gives a powered-down node that doesn't answer to no job.
    ``jumps``: when the clock was set ahead, as far as this process knows.
    """

    time: float
    states: Mapping[str, NodeState]
    vms: frozenset[str] | None
    entries: Mapping[str, Entry]
    damaged: frozenset[str]
    problems: tuple[Problem, ...]
    silence_lasts: bool
    jumps: tuple[Jump, ...] = ()


def observe(
    manifest: Manifest, slurm: Controller, ledger: Ledger, vms: Vms | Problem, deadline: Deadline
) -> Observation:
    """Look. ``vms`` is a problem where the EMS can't even be connected.

    Raises SlurmError and LedgerError where there is nothing to decide by.
    """
    # In this order: what a program does meanwhile is in the ledger, and so is seen.
    began = time.time()
    states = slurm.every_node()
    if manifest.pools and not any(manifest.pool_of(node) for node in states):
        raise SlurmError(
            "Slurm shows none of the manifest's nodes, so nothing is done: is this its cluster (SLURM_CONF)? "
            "Slurm before 23.02 hides powered-down ones without PrivateData=cloud"
        )
    listed = _listed(vms, deadline)
    entries, damaged = _entries(ledger)
    problems = (
        *([listed] if isinstance(listed, Problem) else ()),
        *(Problem(f"entry {node}", text) for node, text in damaged.items()),
        *_strangers(manifest, states),
        *_from_the_future(entries, began),
    )
    names = None if isinstance(listed, Problem) else listed
    return Observation(began, states, names, entries, frozenset(damaged), problems, _silence_lasts(manifest, states))


def _listed(vms: Vms | Problem, deadline: Deadline) -> frozenset[str] | Problem:
    if isinstance(vms, Problem):
        return vms
    try:
        return vms.names(deadline)
    except EmsError as error:
        return Problem(
            "ems", f"{error}: no VM is made or deleted until the EMS lists them", "the EMS lists its VMs again"
        )


def _entries(ledger: Ledger) -> tuple[dict[str, Entry], dict[str, str]]:
    entries: dict[str, Entry] = {}
    damaged: dict[str, str] = {}
    for node in ledger.nodes():
        if split_node_name("", node) is None:
            continue
        try:
            entry = ledger.peek(node)
        except LedgerError as error:
            damaged[node] = f"{error}: nothing is done about {node}"
        else:
            if entry is not None:
                entries[node] = entry
    return entries, damaged


def _silence_lasts(manifest: Manifest, states: Mapping[str, NodeState]) -> bool:
    """Asked only where there is such a node: 22.05 shows each so that was given back, and uses it all the same."""
    if not any(state.flags >= {"POWERED_DOWN", "NOT_RESPONDING"} for state in states.values()):
        return False
    try:
        version = installed(manifest.slurm_bin_dir, slurm_conf=None)
    except SlurmError as error:
        log.debug("which version Slurm has isn't known: %s", error)
        return False
    return version is not None and version >= SILENCE_LASTS


def _strangers(manifest: Manifest, states: Mapping[str, NodeState]) -> Iterator[Problem]:
    found = [node for node in states if node.startswith(manifest.node_prefix) and manifest.pool_of(node) is None]
    if found:
        yield Problem(
            "strangers",
            f"{fold(found)[:_SHOWN]}: named like ours, and in no pool of the manifest: is it older than Slurm's nodes? "
            "'xio apply' writes a new one; until then they are left alone",
        )


def _from_the_future(entries: Mapping[str, Entry], now: float) -> Iterator[Problem]:
    later = [node for node, entry in entries.items() if max(entry.asked, entry.run.called) > now + _SKEW]
    if later:
        yield Problem(
            "clock",
            f"{fold(later)[:_SHOWN]}: the ledger has times that are still to come, so the clock was set back: "
            "these nodes' VMs count as new until then",
            "the clock has caught up with the ledger",
        )
