"""Counts VMs that were made and never came up, in a row for each pool: after many its jobs shouldn't go on in vain."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from xio_slurm.errors import LedgerError, SlurmError
from xio_slurm.ledger import Entry, Ledger
from xio_slurm.power.pool_doors import Doors
from xio_slurm.power.program import Call
from xio_slurm.slurm.controller import controller
from xio_slurm.slurm.hostlist import fold

log = logging.getLogger("xio_slurm")


def count_boot_failures(call: Call) -> None:
    """For nodes that Slurm gave up waiting for: each whose VM the EMS was asked for counts."""
    failed = _by_pool(call, call.nodes, lambda entry: entry.phase in {"asking", "ours"})
    doors = Doors(call.manifest, call.events, call.deadline)
    closed = []
    for pool, nodes in failed.items():
        for node in nodes:
            call.events.record("boot-failed", node=node)
        text = f"{fold(nodes)}: slurmd did not register in time; see its console, then xio pool open {pool}"
        breaker = doors.boot_failed(pool, len(nodes), text)
        closed += [breaker] if breaker is not None else []
    if closed:
        try:
            doors.drain(controller(call.manifest, timeout=5.0), closed)
        except SlurmError as error:
            log.error("the closed pools' nodes can't be taken out of use: %s", error)


def note_boots(call: Call) -> None:
    """For nodes that Slurm powers down: one that got older than ResumeTimeout did come up, or it had been given up."""
    doors = Doors(call.manifest, call.events, call.deadline)
    doubted = {pool for pool, breaker in doors.now().items() if breaker.boot_failures}
    if doubted:
        oldest = call.run.called - call.manifest.resume_timeout
        for pool in _by_pool(call, call.nodes, lambda entry: entry.phase == "ours" and entry.asked < oldest):
            if pool in doubted:
                doors.booted(pool)


def _by_pool(call: Call, nodes: Iterable[str], wanted: Callable[[Entry], bool]) -> Mapping[str, list[str]]:
    ledger = Ledger(call.manifest.state_dir)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for node in nodes:
        pool = call.manifest.pool_of(node)
        if pool is None:
            continue
        try:
            entry = ledger.peek(node)
        except LedgerError:
            continue  # whoever deletes its VM tells it
        if entry is not None and wanted(entry):
            found[pool.name].append(node)
    return found
