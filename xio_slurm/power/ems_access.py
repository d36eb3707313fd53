"""The ledger and the EMS of a manifest, for a call's work on the nodes that are ours."""

import logging
from collections.abc import Callable

from xio_slurm.deadline import Deadline
from xio_slurm.ems.connection import connected
from xio_slurm.ems.vms import Vms
from xio_slurm.errors import EmsError, LedgerError, ManifestError
from xio_slurm.ledger import Ledger
from xio_slurm.manifest import Manifest
from xio_slurm.power.outcome import Outcome, failure

log = logging.getLogger("xio_slurm")


def with_ems(
    manifest: Manifest, nodes: tuple[str, ...], work: Callable[[Vms, Ledger], tuple[Outcome, ...]]
) -> tuple[Outcome, ...]:
    """Do the work on the nodes. Where the EMS's address isn't known, each node fails of that."""
    if not nodes:
        return ()
    ledger = Ledger(manifest.state_dir)
    try:
        ledger.prepare()
    except LedgerError as error:
        log.error("%s", error)  # each node finds out what that means for it
    try:
        with connected(manifest) as transport:
            for warning in transport.certificate_warnings:
                log.warning("%s", warning)
            return work(Vms(transport), ledger)
    except ManifestError as error:
        log.error("%s", error)
        return tuple(failure(node, error) for node in nodes)


def listed_names(vms: Vms, deadline: Deadline) -> frozenset[str] | None:
    """The names of every VM of the EMS, or None when they couldn't be listed: then each node is looked up alone."""
    try:
        return vms.names(deadline)
    except EmsError as error:
        log.warning("%s: looking the nodes up one by one", error)
        return None
