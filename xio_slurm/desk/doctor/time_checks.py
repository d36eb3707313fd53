"""Judges timeouts: against each other, and against how long VMs take to boot. Pure."""

from collections.abc import Iterator
from typing import Final

from xio_slurm.desk.doctor.finding import Area, Finding, warning
from xio_slurm.desk.doctor.seen import Seen, known
from xio_slurm.plain_text import listed
from xio_slurm.power.situation import Power, power_of

_REPEATS: Final = 15
"""slurmctld repeats a job's termination for 10 s (MessageTimeout) while a node's port refuses it."""

_CLOSE: Final = 0.75
"""Of ResumeTimeout: a boot that takes longer will miss it on a bad day."""


def settings(seen: Seen) -> Iterator[Finding]:
    """Do the timeouts fit each other?"""
    manifest = seen.manifest
    if manifest.suspend_timeout < _REPEATS:
        what = f"SuspendTimeout={manifest.suspend_timeout} is short: a node that is taken again can lose its next job"
        yield warning(Area.TIMES, what, f"SuspendTimeout: {_REPEATS} or more, then xio apply")
    late = [pool.name for pool in manifest.pools if manifest.boot_timeout(pool.name) >= manifest.resume_timeout]
    if late:
        what = f"pool {listed(late)}: BootTimeout isn't below ResumeTimeout={manifest.resume_timeout}: it never counts"
        yield warning(Area.TIMES, what, "a smaller BootTimeout, or a larger ResumeTimeout, then xio apply")
    request = manifest.connect_timeout + manifest.read_timeout
    if request >= manifest.resume_timeout:
        what = f"ConnectTimeout and ReadTimeout ({request:g} s) leave no second try in ResumeTimeout"
        yield warning(Area.TIMES, what, "smaller ones, or a larger ResumeTimeout, then xio apply")


def boots(seen: Seen) -> Iterator[Finding]:
    """Do VMs boot well within ResumeTimeout?"""
    registered, observation = known(seen.registrations), known(seen.cluster).observation
    took: dict[str, float] = {}
    for node, entry in observation.entries.items():
        started = registered[node].slurmd_started if node in registered else None
        is_on = power_of(observation.states.get(node)) is Power.ON
        if is_on and entry.phase == "ours" and started is not None and started >= entry.asked:
            took[node] = started - entry.asked
    if not took:
        return
    slowest = max(took, key=lambda node: took[node])
    timeout = seen.manifest.resume_timeout
    if took[slowest] > _CLOSE * timeout:
        what = f"{slowest}: took {took[slowest]:.0f} s to boot, of ResumeTimeout={timeout}"
        yield warning(Area.TIMES, what, f"ResumeTimeout: {int(2 * took[slowest])}, then xio apply")
