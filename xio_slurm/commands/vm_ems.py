"""The EMS and the ledger for the commands about VMs, opened in the right order."""

from collections.abc import Iterator
from contextlib import contextmanager

from xio_slurm.commands.ems_options import ems_of
from xio_slurm.manifest import Manifest
from xio_slurm.vms.access import VmAccess, ready_to_read, ready_to_write, vm_access


@contextmanager
def vms_to_see(manifest: Manifest) -> Iterator[VmAccess]:
    """For those who only look. Raises LedgerError where the ledger can't be read."""
    ready_to_read(manifest)
    with ems_of(manifest) as transport:
        yield vm_access(manifest, transport)


@contextmanager
def vms_to_change(manifest: Manifest) -> Iterator[VmAccess]:
    """For those who make or delete VMs. Raises LedgerError where the ledger can't be written."""
    ready_to_write(manifest)
    with ems_of(manifest) as transport:
        yield vm_access(manifest, transport)
