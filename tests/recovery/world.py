"""A small cluster, all of it in this process: slurmctld and the EMS are models, the rest is the product itself.

Our programs run as they are, down to the two places where they leave the process: ``Transport.request`` and
``command.run``. Only clocks, those two and the moments of death are the model's.
"""

import logging
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock

from tests.manifests import manifest_with
from tests.recovery.clock import Clock
from tests.recovery.ems import Ems, Weather
from tests.recovery.killing import Killed, Life
from tests.recovery.slurm import RESUME_TIMEOUT, SUSPEND_TIMEOUT, Called, Slurm, state_of
from xio_slurm.deadline import Deadline
from xio_slurm.ems.transport import Transport
from xio_slurm.events import Events
from xio_slurm.ledger import Ledger, Run
from xio_slurm.manifest import Pool, Recovery
from xio_slurm.power import side_by_side
from xio_slurm.power.breaker import opened_by_hand
from xio_slurm.power.breakers import Breakers
from xio_slurm.power.program import Call
from xio_slurm.power.resume import resume
from xio_slurm.power.resume_fail import resume_fail
from xio_slurm.power.situation import Gate
from xio_slurm.power.suspend import suspend
from xio_slurm.power.sync.notices import Notices
from xio_slurm.power.sync.one_pass import Passes
from xio_slurm.slurm import jobs, scontrol, version

POOLS = {"a": 3, "b": 3}
NODES = {f"x-{pool}-{number}": pool for pool, size in POOLS.items() for number in range(1, size + 1)}
INTERVAL = 5.0
GRACE = 12.0
_PROGRAMS = {"resume": resume, "suspend": suspend, "resume_fail": resume_fail}

_QUIET_SECONDS = 2_400
_BUSY_SECONDS = 60


class World:
    """A cluster and its EMS, from the first moment on."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.life = Life()
        self.ems = Ems(self.clock, self.life, is_known=lambda node: node in self._known, is_used=self._is_used)
        self.slurm = Slurm(self.clock, self.life, self.ems, NODES)
        self._folder = folder
        self._known: frozenset[str] = frozenset()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.manifest = manifest_with(
            node_prefix="x-",
            ems_url="http://127.0.0.1:1",
            connect_timeout=1,
            max_concurrent_requests=1,
            state_dir=str(folder),
            slurm_bin_dir="/nowhere",
            slurm_backend="scontrol",
            resume_timeout=int(RESUME_TIMEOUT),
            suspend_timeout=int(SUSPEND_TIMEOUT),
            pools=tuple(Pool(name, "p", "i", size, 1, 1000, None, 10) for name, size in POOLS.items()),
            recovery=Recovery(
                retry_seconds=10,
                boot_timeout=40,
                close_seconds=20,
                longest_close_seconds=80,
                boot_failures=4,
                failed_starts=4,
                grace=GRACE,
                sync_interval=INTERVAL,
                most_deletes=2,
            ),
        )
        self._ledger = Ledger(str(folder))
        self._passes = self._new_passes()
        self._judged = 0
        self._started = 0
        self._is_told = False

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """What leaves the process comes here."""

        def reported(error: BaseException) -> str:
            raise AssertionError("a bug report was written") from error

        with ExitStack() as patched:
            patched.enter_context(self.clock.in_force())
            patched.enter_context(self.life.of_files())
            patched.enter_context(mock.patch.object(Transport, "request", lambda _, *told: self.ems.request(*told)))
            for module in (scontrol, jobs, version):
                patched.enter_context(mock.patch.object(module, "run", self.slurm.run))
            patched.enter_context(mock.patch.object(side_by_side, "write_bug_report", reported))
            patched.enter_context(mock.patch.object(socket, "gethostname", return_value="head"))
            logging.getLogger("xio_slurm").disabled = True
            try:
                yield
            finally:
                logging.getLogger("xio_slurm").disabled = False

    def call(self, called: Called, effects: int | None = None) -> None:
        """Run a program that slurmctld has started, killed after so many effects."""
        self._is_told = True
        self._live(effects, lambda: self._run(called))

    def sync(self, effects: int | None = None, *, elsewhere: bool = False) -> None:
        """A pass of sync; ``elsewhere``: on the other controller, which has taken over and remembers nothing."""
        if elsewhere or self.life.dead:
            self._passes = self._new_passes()
        self._is_told = False
        self._live(effects, self._passes.run)

    def _new_passes(self) -> Passes:
        return Passes(self.manifest, Notices(), lambda: False, stays=True)

    def _live(self, effects: int | None, work: Callable[[], object]) -> None:
        self._known = frozenset(filter(self._has_seen_to, NODES))
        self.life.begin(effects)
        try:
            work()
        except Killed:
            self._passes = self._new_passes()
        finally:
            self.life.begin(None)
        self.judge_deletes()

    def _run(self, called: Called) -> None:
        name = f"xio-{called.program}"
        self._started += 1
        run = Run(f"{name}-{self._started}", self.clock.wall())
        seconds = RESUME_TIMEOUT * 0.9
        call = Call(
            name, self.manifest, called.nodes, (), None, run, Deadline.after(seconds), Events("/nowhere", name, "")
        )
        _PROGRAMS[called.program](call)

    def judge_deletes(self) -> None:
        """No VM of others was deleted, and none under a job that runs."""
        for machine in self.ems.deleted[self._judged :]:
            # A VM of a node that was never seen to may be one from before us: Slurm's word is enough for it.
            assert machine.ours or not machine.was_known, f"the VM of {machine.node} isn't ours, and was deleted"
            assert not machine.was_used, f"{machine.node} was deleted under a running job"
        self._judged = len(self.ems.deleted)

    def _has_seen_to(self, node: str) -> bool:
        """Whether we know whose VM the node has. We don't while we finish a delete that Slurm wants of a new one."""
        entry = self._ledger.peek(node)
        return entry is not None and not (entry.phase == "deleting" and entry.attempts == 0)

    def _is_used(self, node: str) -> bool:
        if self._is_told and self.slurm.is_down:
            return False  # slurmctld called it, if long ago, and can't be asked
        job = self.slurm.jobs.get(self.slurm.nodes[node].job or 0)
        return job is not None and job.state == "RUNNING"

    def is_claimed(self, node: str) -> bool:
        """Whether the ledger says that a VM of that name is ours, or can be."""
        entry = self._ledger.peek(node)
        return entry is not None and (entry.phase in {"asking", "ours", "deleting"} or entry.unanswered)

    def become_quiet(self) -> None:
        """Nothing goes wrong any more, and time passes."""
        self.ems.weather = Weather()
        self.slurm.is_down = False
        self.clock.skew = self.clock.fastest  # else what is in the ledger is still to come
        self.ems.late.clear()
        for node in NODES:
            self.ems.machines = [each for each in self.ems.machines if each.ours or each.node != node]
        began = self.clock.now
        end = began + _QUIET_SECONDS
        while self.clock.now < end and not self._is_settled():
            while self.slurm.calls:
                self.call(self.slurm.calls.pop(0))
            self.sync()
            self._open_by_hand()
            # Later on only time is missing, and a slow sync will do.
            self.clock.advance(INTERVAL if self.clock.now < began + _BUSY_SECONDS else 3 * INTERVAL)

    def _open_by_hand(self) -> None:
        """An administrator has looked at the pools that nothing else opens."""
        record = Breakers(self.manifest.state_dir)
        for pool, breaker in record.read().items():
            if breaker.gate is Gate.CLOSED and breaker.until is None:
                record.change(pool, opened_by_hand, Deadline.after(1))

    def _is_settled(self) -> bool:
        return next(self.troubles(), None) is None

    def troubles(self) -> Iterator[str]:
        """What isn't as it should be in a cluster where nothing goes on."""
        for job in self.slurm.jobs.values():
            if job.state not in {"COMPLETED", "HELD"}:
                yield f"it waits: {job}"
        for node in self.slurm.nodes.values():
            if not self.slurm.can_be_chosen(node):
                yield f"{node.name} is stuck: {state_of(node)}"
            if machines := self.ems.of(node.name):
                yield f"{machines} runs for nobody"
        for entry in self._ledger.entries():
            yield f"the ledger still says {entry}"
