"""xio-suspend, the SuspendProgram: has the EMS destroy the VMs of the nodes that slurmctld powers down."""

from xio_slurm.ems.vms import Vms
from xio_slurm.ledger import Ledger
from xio_slurm.manifest import Manifest
from xio_slurm.power.boots import note_boots
from xio_slurm.power.delegate import delegated
from xio_slurm.power.deletion import Deletion
from xio_slurm.power.ems_access import with_ems
from xio_slurm.power.in_use import InUse
from xio_slurm.power.outcome import Outcome
from xio_slurm.power.ownership import split
from xio_slurm.power.program import Call
from xio_slurm.power.program import main as program_main
from xio_slurm.power.report import report


def main() -> None:
    """Entry point of ``xio-suspend``."""
    program_main("xio-suspend", seconds, suspend)


def suspend(call: Call) -> tuple[Outcome, ...]:
    """Destroy the VMs of our nodes; the others' go to the delegated SuspendProgram."""
    note_boots(call)
    return destroy(call, call.manifest.delegates.suspend)


def destroy(call: Call, delegate: str | None) -> tuple[Outcome, ...]:
    """Destroy the VMs of our nodes while ``delegate`` sees to the others."""
    owners = split(call.manifest, call.nodes)
    with delegated(call, delegate, owners.others) as delegation:
        ours = _delete(call, owners.ours)
        report(call.events, ours)
        others = delegation.outcomes()
    report(call.events, others)
    return ours + others


def _delete(call: Call, nodes: tuple[str, ...]) -> tuple[Outcome, ...]:
    def work(vms: Vms, ledger: Ledger) -> tuple[Outcome, ...]:
        deletion = Deletion(
            call.manifest, vms, ledger, call.events, call.run, call.deadline, InUse(call.manifest, nodes)
        )
        return deletion.delete_all(nodes)

    return with_ems(call.manifest, nodes, work)


def seconds(manifest: Manifest) -> float:
    """How long a suspend may take: as long as slurmctld lets it live, since it isn't called again for a node.

    After SuspendTimeout the node may be resumed meanwhile; whatever is done here yields to that call.
    """
    return max(manifest.resume_timeout, manifest.suspend_timeout) * 0.9


if __name__ == "__main__":
    main()
