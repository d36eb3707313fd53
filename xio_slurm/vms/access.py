"""What the commands about VMs work with: the EMS, the ledger, and who they are in both."""

import os
import pwd
import time
from dataclasses import dataclass
from pathlib import Path

from xio_slurm.deadline import Deadline
from xio_slurm.ems.transport import Transport
from xio_slurm.ems.vms import Vms
from xio_slurm.errors import LedgerError
from xio_slurm.events import Events
from xio_slurm.ledger import Ledger, Run
from xio_slurm.manifest import Manifest
from xio_slurm.power.deletion import Deletion
from xio_slurm.power.state_owner import become_owner

PROGRAM = "xio-vm"


@dataclass(frozen=True, slots=True)
class VmAccess:
    """The VMs and the ledger of one cluster, for one call of a command."""

    manifest: Manifest
    vms: Vms
    ledger: Ledger
    events: Events
    run: Run

    def deletion(self, deadline: Deadline) -> Deletion:
        """What destroys VMs that are ours, as xio-suspend does."""
        return Deletion(self.manifest, self.vms, self.ledger, self.events, self.run, deadline, in_use=())


def ready_to_write(manifest: Manifest) -> None:
    """Go on as the owner of the state folder. To be called before the EMS is connected: its key is the owner's too.

    Raises LedgerError where we couldn't note what we do, before anything is done.
    """
    become_owner(manifest.state_dir)
    _must(Path(manifest.state_dir), os.W_OK | os.X_OK, "written")
    Ledger(manifest.state_dir).prepare()


def ready_to_read(manifest: Manifest) -> None:
    """The same for those who only look, and make nothing: a ledger that there isn't yet is an empty one.

    Raises LedgerError where the ledger is closed to us: every VM would seem another's.
    """
    if os.path.isdir(manifest.state_dir):  # noqa: PTH112 (Path.is_dir raises in a closed one)
        become_owner(manifest.state_dir)
    _must(Path(manifest.state_dir), os.R_OK | os.X_OK, "read")


def _must(state: Path, mode: int, done: str) -> None:
    for folder in (state, state / "nodes", state / "locks"):
        if os.path.isdir(folder) and not os.access(folder, mode):  # noqa: PTH112 (Path.is_dir raises in a closed one)
            raise LedgerError(f"{folder}: can't be {done}: run this as root or as {_owner(state)}")


def vm_access(manifest: Manifest, transport: Transport) -> VmAccess:
    """The VMs of the manifest's EMS and the ledger, for somebody who is ready for them."""
    called = time.time()
    run = Run(f"{PROGRAM}-{os.getpid()}-{called:.3f}", called)
    events = Events(manifest.log_dir, PROGRAM, run.id, manifest.pool_name)
    return VmAccess(manifest, Vms(transport), Ledger(manifest.state_dir), events, run)


def _owner(folder: Path) -> str:
    try:
        return pwd.getpwuid(folder.stat().st_uid).pw_name
    except (OSError, KeyError):
        return "its owner"
