"""What slurmctld needs after a change, by its version. Pure.

From Slurm's FAQ (adding and removing nodes), its RELEASE_NOTES, and trials on real clusters: a 22.05 slurmctld that is
told to reconfigure after nodes were added, removed or renamed ends with "MaxNodeCount has changed" or "hostnames
inconsistency detected"; 24.11's carries it out.
"""

from collections.abc import Set
from typing import Final

from xio_slurm.deploy.difference import Kind
from xio_slurm.slurm.version import PARTITION_TIMEOUTS, RECONFIGURE_KEEPS_RUNNING, RECONFIGURE_NODES, Version

_NOTHING: Final = "Slurm needs nothing: the programs read the manifest at every call"


def advice(kinds: Set[Kind], version: Version | None, *, first: bool) -> tuple[str, ...]:
    """What to do, one line each. ``version`` None: not known. ``first``: power saving may be new to this slurmctld."""
    lines = [*_too_old(version)]
    if not kinds - {Kind.PROGRAMS}:
        return (*lines, _NOTHING)
    if first:
        lines.append(f"stop slurmctld, put the include into slurm.conf, start it: {_why_restart(version)}")
    elif must_stop(kinds, version):
        lines.append(_stop(version))
    elif Kind.HARDWARE in kinds and (version is None or version < RECONFIGURE_NODES):
        lines.append("restart slurmctld: a reconfigure doesn't change a node's CPUs and memory before Slurm 24.11")
    else:
        lines.append("run 'scontrol reconfigure'")
        if Kind.HARDWARE in kinds:
            lines.append("it requeues the jobs that run on nodes whose CPUs or memory change")
    return (*lines, *_other_slurmds(kinds, version))


def advice_once_included(version: Version | None) -> tuple[str, ...]:
    """What to do once slurm.conf includes node definitions that it didn't include before, one line each."""
    restart = f"restart slurmctld (running jobs survive that): {_why_restart(version)}"
    return (*_too_old(version), restart, *_other_slurmds({Kind.NODES}, version))


def must_stop(kinds: Set[Kind], version: Version | None) -> bool:
    """Whether slurmctld should not be running while the files are written: a reconfigure in between could end it."""
    return Kind.NODES in kinds and (version is None or version < RECONFIGURE_NODES)


def _too_old(version: Version | None) -> tuple[str, ...]:
    if version is None or version >= PARTITION_TIMEOUTS:
        return ()
    return (f"Slurm {version} is too old: SuspendTime at partitions needs 21.08 or newer",)


def _other_slurmds(kinds: Set[Kind], version: Version | None) -> tuple[str, ...]:
    if Kind.NODES not in kinds or (version is not None and version >= RECONFIGURE_NODES):
        return ()
    return ("then restart the slurmds of the other nodes, unless they are configless: they must know the nodes",)


def _why_restart(version: Version | None) -> str:
    why = "a reconfigure doesn't turn power saving on"
    if version is None or version < RECONFIGURE_KEEPS_RUNNING:
        why += ", and with new nodes it can kill slurmctld"
    return why


def _stop(version: Version | None) -> str:
    order = "restart slurmctld, and don't reconfigure it (running jobs survive a restart)"
    if version is None:
        return f"{order}: Slurm's version isn't known here, and before 24.11 a reconfigure can kill slurmctld"
    if version < RECONFIGURE_KEEPS_RUNNING:
        return f"{order}: a reconfigure after added or removed nodes kills the slurmctld of Slurm {version}"
    return f"{order}: Slurm {version} can't add or remove nodes with a reconfigure"
