"""xio-resume-fail, the ResumeFailProgram: destroys the VMs of nodes that didn't come up before ResumeTimeout.

At ResumeTimeout slurmctld sets a node DOWN and calls this program, and not the SuspendProgram: a VM that booted too
slowly, or whose slurmd never registered, would run on unseen.
"""

from xio_slurm.power.boots import count_boot_failures
from xio_slurm.power.outcome import Outcome
from xio_slurm.power.program import Call, log
from xio_slurm.power.program import main as program_main
from xio_slurm.power.suspend import destroy, seconds
from xio_slurm.slurm.hostlist import fold


def main() -> None:
    """Entry point of ``xio-resume-fail``."""
    program_main("xio-resume-fail", seconds, resume_fail)


def resume_fail(call: Call) -> tuple[Outcome, ...]:
    """Destroy what is there of the nodes' VMs. Others' nodes go where ParallelCluster has its own go."""
    log.warning("%s: Slurm gave up waiting for slurmd", fold(call.nodes))
    count_boot_failures(call)
    return destroy(call, call.manifest.delegates.resume_fail or call.manifest.delegates.suspend)


if __name__ == "__main__":
    main()
