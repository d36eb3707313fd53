"""The EMS of a manifest, and which VMs it has."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from xio_slurm.deadline import Deadline
from xio_slurm.ems.transport import Transport
from xio_slurm.ems.vms import Vms
from xio_slurm.errors import EmsError, ManifestError
from xio_slurm.manifest import Manifest

log = logging.getLogger("xio_slurm")


@contextmanager
def vms_of(manifest: Manifest) -> Iterator[Vms]:
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
