"""The connections to a manifest's EMS."""

from collections.abc import Iterator
from contextlib import contextmanager

from xio_slurm.ems.transport import Transport
from xio_slurm.errors import ManifestError
from xio_slurm.manifest import Manifest


@contextmanager
def connected(manifest: Manifest) -> Iterator[Transport]:
    """One pool of connections, for as many requests side by side as the manifest allows; closed at the end.

    Raises ManifestError where the EMS's address isn't known.
    """
    if manifest.ems_url is None:
        raise ManifestError(
            "the manifest has no address of the EMS: set ManagementServerIp or Plugin: EmsUrl and run 'xio generate', "
            "or let 'xio apply' look ManagementServerStackName up"
        )
    transport = Transport(
        manifest.ems_url,
        connect_timeout=manifest.connect_timeout,
        read_timeout=manifest.read_timeout,
        max_connections=manifest.max_concurrent_requests,
        tls=manifest.tls,
        proxy=manifest.ems_proxy,
    )
    try:
        yield transport
    finally:
        transport.close()
