"""The ledger and the EMS of a manifest, for a call's work on the nodes that are ours."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from xio_slurm.deadline import Deadline
from xio_slurm.ems.transport import Transport
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
        with _vms_of(manifest) as vms:
            return work(vms, ledger)
    except ManifestError as error:
        log.error("%s", error)
        return tuple(failure(node, error) for node in nodes)


@contextmanager
def _vms_of(manifest: Manifest) -> Iterator[Vms]:
    """The VMs of the manifest's EMS, over one pool of connections."""
    if manifest.ems_url is None:
        raise ManifestError(
            "the manifest has no address of the EMS: set ManagementServerIp or Plugin: EmsUrl, and run 'xio generate'"
        )
    transport = Transport(
        manifest.ems_url,
        connect_timeout=manifest.connect_timeout,
        read_timeout=manifest.read_timeout,
        max_connections=manifest.max_concurrent_requests,
    )
    try:
        yield Vms(transport)
    finally:
        transport.close()


def listed_names(vms: Vms, deadline: Deadline) -> frozenset[str] | None:
    """The names of every VM of the EMS, or None when they couldn't be listed: then each node is looked up alone."""
    try:
        return vms.names(deadline)
    except EmsError as error:
        log.warning("%s: looking the nodes up one by one", error)
        return None
