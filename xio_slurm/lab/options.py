"""What a lab is made of, as its caller says it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from xio_slurm.manifest import Recovery

QUICK_RECOVERY: Final = Recovery(
    retry_seconds=5.0, close_seconds=5.0, longest_close_seconds=20.0, grace=3.0, sync_interval=1.0, boot_failures=3
)
"""Times that suit a lab's: a node that nobody makes a VM for is seen to within seconds."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The lab's power saving times, in seconds, and its rates, in nodes a minute (0: no limit).

    They are short: a cycle of a node takes about ``suspend_time + suspend_timeout`` after its job.
    """

    resume_timeout: int = 30
    suspend_timeout: int = 5
    suspend_time: int = 8
    resume_rate: int = 0
    suspend_rate: int = 0


@dataclass(frozen=True, slots=True)
class LabOptions:
    """How to make a lab.

    ``folder`` is where all of it lives; it must not exist, or be an earlier lab's. ``config`` is the configuration to
    compile; None takes the shipped ``etc/xio.yaml``. ``slurm`` is a folder with ``bin`` and ``sbin`` of the Slurm to
    use; None takes the machine's. ``slurm_conf`` is text for the end of slurm.conf. ``delegated_nodes`` makes that
    many nodes ``pc-1 …`` of a second family, whose stub programs ours delegate to. ``boot_seconds`` is how long a VM
    takes until it runs its user data; ``scenario`` is a file of the emulator's faults. ``sync`` runs ``xio sync``
    beside slurmctld. ``recovery`` is the manifest's; None: the configuration's, with ``sync`` a lab's own.
    ``applied``: the EMS has the profiles, images and environment that ``xio apply`` makes.
    """

    folder: Path
    config: Path | None = None
    slurm: Path | None = None
    timing: Timing = field(default_factory=Timing)
    slurm_conf: str = ""
    delegated_nodes: int = 0
    boot_seconds: float = 0.5
    scenario: Path | None = None
    sync: bool = False
    recovery: Recovery | None = None
    applied: bool = True
