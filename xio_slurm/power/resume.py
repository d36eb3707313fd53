"""xio-resume, the ResumeProgram: has the EMS make a VM for each node that slurmctld powers up.

It ends when the EMS has been asked. The VM itself tells Slurm its address and starts slurmd; what never comes up,
slurmctld hands to xio-resume-fail at ResumeTimeout.
"""

from typing import TYPE_CHECKING

from xio_slurm.ems.vms import Vms
from xio_slurm.errors import SlurmError
from xio_slurm.ledger import Ledger
from xio_slurm.manifest import Manifest
from xio_slurm.power.call_gate import CallGate, Closings
from xio_slurm.power.creation import Creation
from xio_slurm.power.delegate import delegated
from xio_slurm.power.ems_access import listed_names, with_ems
from xio_slurm.power.in_use import InUse
from xio_slurm.power.outcome import Failed, Outcome
from xio_slurm.power.ownership import split
from xio_slurm.power.pool_doors import Doors
from xio_slurm.power.program import Call, log
from xio_slurm.power.program import main as program_main
from xio_slurm.power.report import report
from xio_slurm.power.side_by_side import side_by_side

if TYPE_CHECKING:
    from xio_slurm.power.root_password import PasswordHash


def main() -> None:
    """Entry point of ``xio-resume``."""
    program_main("xio-resume", _seconds, resume)


def resume(call: Call) -> tuple[Outcome, ...]:
    """See to every node of the call, and tell Slurm of those that can't come up."""
    owners = split(call.manifest, call.nodes)
    with delegated(call, call.manifest.delegates.resume, owners.others) as delegation:
        gate = CallGate(Doors(call.manifest, call.events, call.deadline))
        ours = _create(call, owners.ours, gate)
        report(call.events, ours)
        failures = [outcome for outcome in (*ours, *delegation.failures) if isinstance(outcome, Failed)]
        closings = gate.closings()
        if failures or closings.opened:
            _tell(call, failures, closings)
        others = delegation.outcomes()
    report(call.events, others)
    return ours + others


# What few calls need is loaded by those that do: else it were a tenth of each call's start-up.


def _tell(call: Call, failures: list[Failed], closings: Closings) -> None:
    from xio_slurm.power.tell_slurm import tell_failures  # noqa: PLC0415

    tell_failures(call.manifest, call.events, call.deadline, failures, closings=closings, resume_file=call.resume_file)


def _root_password(call: Call) -> "PasswordHash | None":
    if call.manifest.root_password is None:
        return None
    from xio_slurm.power.root_password import password_for_vms  # noqa: PLC0415

    return password_for_vms(call)


def _cluster_of_slurm() -> str:
    from xio_slurm.slurm import conf  # noqa: PLC0415

    try:
        return conf.read(conf.path_in_use()).get("ClusterName") or ""
    except SlurmError as error:
        log.warning("%s: the VMs boot without the cluster's name", error)
        return ""


def _create(call: Call, nodes: tuple[str, ...], gate: CallGate) -> tuple[Outcome, ...]:
    def work(vms: Vms, ledger: Ledger) -> tuple[Outcome, ...]:
        creation = Creation(
            manifest=call.manifest,
            cluster=call.manifest.cluster or _cluster_of_slurm(),
            vms=vms,
            ledger=ledger,
            events=call.events,
            run=call.run,
            deadline=call.deadline,
            patience=call.deadline.sooner(min(call.manifest.recovery.retry_seconds, call.manifest.resume_timeout / 4)),
            listed=listed_names(vms, call.deadline),
            root_password=_root_password(call),
            gate=gate,
            in_use=InUse(call.manifest, nodes),
        )
        return tuple(side_by_side(creation.create, nodes, most=call.manifest.max_concurrent_requests))

    return with_ems(call.manifest, nodes, work)


def _seconds(manifest: Manifest) -> float:
    """How long a resume may take: less than ResumeTimeout, when slurmctld gives the node up and may end us."""
    return manifest.resume_timeout * 0.9


if __name__ == "__main__":
    main()
