"""One pass: look, decide, confirm, act; and what the next pass must know of it."""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.ems.connection import connected
from xio_slurm.ems.vms import Vms
from xio_slurm.errors import EmsError, LedgerError, ManifestError, SlurmError
from xio_slurm.events import Events
from xio_slurm.ledger import Ledger, Run
from xio_slurm.manifest import Manifest
from xio_slurm.power import heartbeat
from xio_slurm.power.breaker import Breaker
from xio_slurm.power.breakers import Breakers
from xio_slurm.power.decisions import NodeAction, VmAction
from xio_slurm.power.situation import Power, power_of
from xio_slurm.power.sync.acting import PROGRAM, Acting
from xio_slurm.power.sync.clock_jumps import ClockJumps
from xio_slurm.power.sync.confirming import Looks, confirm
from xio_slurm.power.sync.gates import Gates, after_look
from xio_slurm.power.sync.notices import Notices, Problem
from xio_slurm.power.sync.observation import Observation, observe
from xio_slurm.power.sync.proposals import Proposal, propose
from xio_slurm.slurm.controller import controller
from xio_slurm.slurm.hostlist import fold

log = logging.getLogger("xio_slurm")

_SECONDS: Final = 100.0
"""That a pass may take; systemd's watchdog is more patient."""


@dataclass(frozen=True, slots=True)
class Passed:
    """How a pass went. ``waiting``: what is done when a second look says the same. ``problems`` are lines.

    ``ripe_at``: from which moment on (monotonic, in seconds) another look confirms the first of what waits.
    ``seen`` is None where there was nothing to decide by; else ``proposals`` and ``breakers`` belong to it.
    """

    waiting: tuple[Proposal, ...]
    problems: tuple[str, ...]
    seen: Observation | None = None
    proposals: tuple[Proposal, ...] = ()
    breakers: Mapping[str, Breaker] = field(default_factory=dict)
    ripe_at: float | None = None


class Passes:
    """The passes over one manifest's nodes.

    ``stop`` says whether to end before the next act. ``stays``: whether this process goes on with passes; then the
    programs count on it to give nodes back, and so does it itself.
    """

    def __init__(self, manifest: Manifest, notices: Notices, stop: Callable[[], bool], *, stays: bool) -> None:
        self._manifest = manifest
        self._notices = notices
        self._stop = stop
        self._stays = stays
        self._looks = Looks()
        self._clock = ClockJumps()
        self._booting: frozenset[str] = frozenset()
        self._reported: frozenset[str] = frozenset()
        self._record = Breakers(manifest.state_dir)

    def run(self) -> Passed:
        """Make a pass. Whatever is wrong is told, and in the next pass no more."""
        saw_all = True
        try:
            passed, problems = self._pass()
        except (SlurmError, LedgerError) as error:
            saw_all = False
            about = "slurm" if isinstance(error, SlurmError) else "ledger"
            passed, problems = Passed((), ()), (Problem(about, str(error), f"{about} can be read again"),)
        problems += tuple(self._beat())
        self._notices.tell(problems, saw_all=saw_all)
        return replace(passed, problems=tuple(problem.text for problem in problems))

    def _pass(self) -> tuple[Passed, tuple[Problem, ...]]:
        manifest = self._manifest
        deadline = Deadline.after(_SECONDS)
        ledger = Ledger(manifest.state_dir)
        ledger.prepare()
        run = _run(time.time()).id
        with closing(Events(manifest.log_dir, PROGRAM, run, manifest.pool_name)) as events, ems(manifest) as found:
            slurm = controller(manifest)
            self._clock = self._clock.after_look(time.time(), time.monotonic())
            seen = replace(observe(manifest, slurm, ledger, found, deadline), jumps=self._clock.jumps)
            gates = Gates(self._record, manifest.recovery, events, deadline)
            breakers, unwritten = gates.look(seen.time, listed=seen.vms is not None)
            slow = self._came_up(seen, gates, breakers, events)
            proposals = propose(seen, manifest, breakers)
            confirmed = confirm(
                self._looks,
                self._within(proposals),
                time.monotonic(),
                grace=manifest.recovery.grace,
                saw_all=seen.vms is not None,
            )
            self._looks = confirmed.looks
            for proposal in confirmed.new:
                events.record("found", node=proposal.node, action=proposal.action.value, why=proposal.why)
            self._report(confirmed.ripe, events, seen)
            acting = Acting(
                manifest=manifest,
                slurm=slurm,
                vms=found if isinstance(found, Vms) else None,
                ledger=ledger,
                events=events,
                deadline=deadline,
                stop=self._stop,
                seen=seen,
                breakers=breakers,
                run=_run(seen.time),
            )
            undone = acting.act(confirmed.ripe)
        passed = Passed(confirmed.waiting, (), seen, proposals, breakers, confirmed.ripe_at)
        return passed, (*seen.problems, *unwritten, *slow, *undone)

    def _within(self, proposals: Iterable[Proposal]) -> Iterator[Proposal]:
        # Who drains nodes must be there to give them back.
        return (each for each in proposals if self._stays or each.action is not NodeAction.CLOSE)

    def _came_up(
        self, seen: Observation, gates: Gates, breakers: Mapping[str, Breaker], events: Events
    ) -> tuple[Problem, ...]:
        """Nodes that were powering up and have registered: their pools' VMs do boot."""
        powers = {node: power_of(state) for node, state in seen.states.items() if "POWERED_DOWN" not in state.flags}
        up = {node for node in self._booting if powers.get(node) is Power.ON}
        self._booting = frozenset(node for node, power in powers.items() if power is Power.POWERING_UP)
        for node in sorted(up & seen.entries.keys()):
            events.record("registered", node=node, seconds=round(seen.time - seen.entries[node].asked, 1))
        pools = {pool.name for node in up if (pool := self._manifest.pool_of(node)) is not None}
        return gates.came_up(sorted(pool for pool in pools if pool in breakers and breakers[pool].boot_failures))

    def _report(self, ripe: Iterable[Proposal], events: Events, seen: Observation) -> None:
        """Tell of the VMs that bear our nodes' names and aren't ours: each once, for as long as it is there."""
        foreign = {proposal.node for proposal in ripe if proposal.action is VmAction.REPORT}
        new = foreign - self._reported
        if new:
            log.warning("%s: the EMS has VMs of these names that this cluster didn't make: left alone", fold(new))
        for node in sorted(new):
            events.record("foreign", node=node)
        still = self._reported if seen.vms is None else self._reported & seen.vms
        self._reported = still | new

    def _beat(self) -> Iterator[Problem]:
        if not self._stays:
            return
        manifest = self._manifest
        beat = heartbeat.Heartbeat(time.time(), os.getpid(), socket.gethostname(), manifest.recovery.sync_interval)
        try:
            heartbeat.write(manifest.state_dir, beat)
        except LedgerError as error:
            yield Problem("heartbeat", f"{error}: the programs don't know that xio sync is at work")


def look_only(manifest: Manifest) -> tuple[tuple[Proposal, ...], tuple[str, ...]]:
    """What a pass would do, and what is wrong; nothing is changed. Raises SlurmError and LedgerError."""
    deadline = Deadline.after(_SECONDS)
    with ems(manifest) as found:
        seen = observe(manifest, controller(manifest), Ledger(manifest.state_dir), found, deadline)
    from_record = Breakers(manifest.state_dir).read()
    listed = seen.vms is not None
    breakers = {
        pool: after_look(breaker, seen.time, manifest.recovery, listed=listed) for pool, breaker in from_record.items()
    }
    return propose(seen, manifest, breakers), tuple(problem.text for problem in seen.problems)


@contextmanager
def ems(manifest: Manifest) -> Iterator[Vms | Problem]:
    """The EMS's VMs, or why it can't be connected."""
    try:
        connection = connected(manifest)
        transport = connection.__enter__()
    except (ManifestError, EmsError) as error:
        yield Problem("ems", f"{error}: no VM is made or deleted", "the EMS can be connected again")
        return
    try:
        yield Vms(transport)
    finally:
        connection.__exit__(None, None, None)


def _run(called: float) -> Run:
    return Run(f"{PROGRAM}-{os.getpid()}-{called:.3f}", called)
