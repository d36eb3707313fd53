"""One look at Slurm, the EMS, the ledger and the pools, for people: what can't be had is told, and the rest shown."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.ems.vms import Vms
from xio_slurm.errors import EmsError, SlurmError
from xio_slurm.ledger import Ledger
from xio_slurm.manifest import Manifest
from xio_slurm.power.breaker import Breaker
from xio_slurm.power.breakers import Breakers
from xio_slurm.power.heartbeat import sync_is_alive
from xio_slurm.power.sync.gates import after_look
from xio_slurm.power.sync.notices import Problem
from xio_slurm.power.sync.observation import Observation, observe
from xio_slurm.power.sync.one_pass import Passed, ems
from xio_slurm.power.sync.proposals import Proposal, propose
from xio_slurm.slurm.scontrol import Scontrol

_EMS_SECONDS: Final = 5.0
_SLURM_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen, at ``time`` (seconds since 1970).

    ``seen`` is None where Slurm couldn't be asked; ``vms`` None where the EMS didn't list them. ``ems``: whether it
    answered, None where nobody asked it. ``proposals`` are what a pass of ``xio sync`` would do. ``synced``: whether
    one is at work.
    """

    time: float
    seen: Observation | None
    vms: frozenset[str] | None
    ems: bool | None
    proposals: tuple[Proposal, ...]
    breakers: Mapping[str, Breaker]
    synced: bool
    problems: tuple[str, ...]


def look(manifest: Manifest) -> Look:
    """Look: one call of Slurm's, one list of the EMS's. Changes nothing. Raises LedgerError."""
    slurm = Scontrol(manifest.slurm_bin_dir, timeout=_SLURM_SECONDS)
    ledger = Ledger(manifest.state_dir)
    began = time.time()
    seen: Observation | None = None
    problems: tuple[str, ...] = ()
    with ems(manifest) as found:
        deadline = Deadline.after(_EMS_SECONDS)
        try:
            seen = observe(manifest, slurm, ledger, found, deadline)
            vms = seen.vms
            problems = tuple(problem.text for problem in seen.problems)
        except SlurmError as error:
            vms, unlisted = _listed(found, deadline)
            problems = (f"Slurm doesn't tell its nodes: {error}", *unlisted)
    breakers = {
        pool: after_look(breaker, began, manifest.recovery, listed=vms is not None)
        for pool, breaker in Breakers(manifest.state_dir).read().items()
    }
    proposals = propose(seen, manifest, breakers) if seen is not None else ()
    return Look(
        time=began,
        seen=seen,
        vms=vms,
        ems=vms is not None,
        proposals=proposals,
        breakers=breakers,
        synced=sync_is_alive(manifest.state_dir, began),
        problems=problems,
    )


def look_of(passed: Passed) -> Look:
    """What a pass of ``xio sync`` has just seen."""
    seen = passed.seen
    return Look(
        time=seen.time if seen is not None else time.time(),
        seen=seen,
        vms=seen.vms if seen is not None else None,
        ems=seen.vms is not None if seen is not None else None,
        proposals=passed.proposals,
        breakers=passed.breakers,
        synced=True,
        problems=passed.problems,
    )


def _listed(found: Vms | Problem, deadline: Deadline) -> tuple[frozenset[str] | None, tuple[str, ...]]:
    if isinstance(found, Problem):
        return None, (found.text,)
    try:
        return found.names(deadline), ()
    except EmsError as error:
        return None, (f"the EMS doesn't list its VMs: {error}",)
