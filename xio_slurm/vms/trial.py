"""One test VM: asked for, followed to its address, deleted, and seen gone, whatever happens in between.

The ledger knows it as ours before the EMS is asked, so that what a SIGKILL leaves behind is found and deleted later.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from msgspec import structs

from xio_slurm.deadline import Deadline
from xio_slurm.ems.vms import NewVm, Vm
from xio_slurm.errors import EmsError, EmsRefused, EmsUnreachable
from xio_slurm.ledger import Entry
from xio_slurm.power.decide import made_nothing
from xio_slurm.power.outcome import Failed
from xio_slurm.power.waiting import pauses
from xio_slurm.vms.access import VmAccess
from xio_slurm.vms.deletion import ON_THE_EMS

Ending = Literal["gone", "kept", "never made", "not seen gone"]
_Made = Literal["yes", "no", "perhaps"]

_REMINDER: Final = 30.0
"""Seconds after which somebody who waits is told for what."""

_GAVE_UP: Final = frozenset({408, 502, 504})
"""Answers of a proxy that stopped waiting for the EMS, which may still be at it."""

_SHORTEST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 1.0


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What became of a test VM.

    ``seconds`` since the test's start, by what was reached: asked, controller, address, gone. ``problems`` are lines;
    where there are none, it came up and went, or was to be kept.
    """

    new: NewVm
    ending: Ending
    job: str | None
    vm: Vm | None
    seconds: dict[str, float]
    problems: tuple[str, ...]
    interrupted: bool


class VmTrial:
    """A test with one VM.

    ``timeout``: seconds until it must be up, and again until it must be gone. ``tell`` gets each step: the seconds
    since the start, and what happened. ``stop`` says whether to break off; the VM is deleted all the same.
    ``delete_later`` says how to delete the VM if it isn't seen gone.
    """

    def __init__(
        self,
        access: VmAccess,
        new: NewVm,
        *,
        timeout: float,
        tell: Callable[[float, str], None],
        stop: Callable[[], bool],
        delete_later: str,
    ) -> None:
        self._access = access
        self._new = new
        self._timeout = timeout
        self._tell = tell
        self._stop = stop
        self._delete_later = delete_later
        self._started = time.monotonic()
        self._entry = Entry(new.node, new.pool, "asking", access.run, asked=time.time(), attempts=1)
        self._vm: Vm | None = None
        self._seconds: dict[str, float] = {}
        self._problems: list[str] = []

    def run(self, *, keep: bool) -> TrialResult:
        """Run the test. Raises LedgerError, before anything is asked, where the ledger can't be written."""
        deadline = Deadline.after(self._timeout)
        self._note(self._entry, deadline)
        try:
            made = self._ask(deadline)
            if made == "yes":
                self._follow(deadline)
        except BaseException:
            self._end()  # whatever went wrong here, it must not cost a VM
            raise
        return TrialResult(
            new=self._new,
            ending="never made" if made == "no" else "kept" if keep and made == "yes" else self._end(),
            job=self._entry.ems_job,
            vm=self._vm,
            seconds=self._seconds,
            problems=tuple(self._problems),
            interrupted=self._stop(),
        )

    def _ask(self, deadline: Deadline) -> _Made:
        if self._stop():
            self._note(structs.replace(self._entry, phase="gone"), deadline)
            return "no"
        self._access.events.record("asking", node=self._new.node, pool=self._new.pool)
        self._step(None, f"asking the EMS for {self._new.node}")
        try:
            job = self._access.vms.create(self._new, deadline)
        except EmsError as error:
            return self._settle(error, deadline)
        self._note(structs.replace(self._entry, phase="ours", ems_job=job), deadline)
        self._access.events.record("asked", node=self._new.node, pool=self._new.pool, ems_job=job)
        self._step("asked", f"the EMS makes it (job {job})")
        return "yes"

    def _settle(self, error: EmsError, deadline: Deadline) -> _Made:
        """After an answer that wasn't a clear yes: whether the VM is made all the same."""
        if made_nothing(error):
            self._note(structs.replace(self._entry, phase="gone", error=str(error)), deadline)
            self._problems.append(str(error))
            return "no"
        self._note(structs.replace(self._entry, error=str(error)), deadline)
        seconds = self._access.manifest.read_timeout if _may_come_late(error) else 0.0
        self._step(
            None, f"no clear answer, looking{f' for {seconds:g} s' if seconds else ''} whether it comes: {error}"
        )
        for _ in self._looks(deadline.sooner(seconds)):
            try:
                exists = self._access.vms.get(self._new.node, deadline) is not None
            except EmsError:
                continue
            if exists:
                self._note(structs.replace(self._entry, phase="ours"), deadline)
                self._step("asked", "the EMS makes it all the same")
                return "yes"
        self._problems.append(f"{error} (should the VM come later, 'xio vm list' shows it as ours)")
        return "perhaps"

    def _follow(self, deadline: Deadline) -> None:
        """Look until the VM has an address; what hinders it becomes a problem."""
        self._step(None, f"waiting for its address, for up to {self._timeout:g} s")
        trouble = ""
        reminder = Deadline.after(_REMINDER)
        for _ in self._looks(deadline):
            try:
                vm = self._access.vms.get(self._new.node, deadline)
            except EmsError as error:
                if str(error) != trouble and not deadline.passed():
                    trouble = str(error)
                    self._step(None, trouble)
                continue
            trouble = ""
            if vm is not None:
                self._see(vm)
                if vm.address is not None:
                    return
            elif self._vm is not None:
                self._problems.append(
                    f"{self._new.node}: the VM has vanished before it was up: {self._where_to_look()}"
                )
                return
            if reminder.passed():
                reminder = Deadline.after(_REMINDER)
                self._step(None, "no address yet")
        if not self._stop():
            why = trouble or self._where_to_look()
            self._problems.append(f"{self._new.node}: has no address after {self._timeout:g} s: {why}")

    def _see(self, vm: Vm) -> None:
        if vm.controller is not None and "controller" not in self._seconds:
            address = f" ({vm.controller_address})" if vm.controller_address else ""
            self._step("controller", f"controller {vm.controller}{address}")
        if vm.address is not None:
            self._step("address", f"the VM is up: {vm.address}")
        if self._vm is None or vm.answer is not None:
            self._vm = vm

    def _where_to_look(self) -> str:
        if self._vm is None or self._vm.controller is None:
            return (
                "no controller was seen: on the EMS, squeue lists the controllers' jobs, "
                "and /var/log/slurm/autoscaling.log says why one doesn't start"
            )
        where = self._vm.controller_address or self._vm.controller
        return f"on the controller {where}, 'xspot ps' lists its VMs and 'xspot console' shows how one boots"

    def _end(self) -> Ending:
        self._step(None, f"deleting {self._new.node}, and waiting until it is gone")
        deadline = Deadline.after(self._timeout)
        (outcome,) = self._access.deletion(deadline).delete_all((self._new.node,))
        why = self._last_word(outcome.text) if isinstance(outcome, Failed) else self._still_there(deadline)
        if why is None:
            self._step("gone", "the VM is gone")
            return "gone"
        self._problems.append(
            f"{self._new.node}: isn't seen gone after {self._timeout:g} s, and may cost: {why}: {ON_THE_EMS}; "
            f"or {self._delete_later}"
        )
        return "not seen gone"

    def _still_there(self, deadline: Deadline) -> str | None:
        """None when a look at the VM itself, and not only at the list, says that there is none."""
        why = ""
        for _ in pauses(deadline):
            if why and deadline.passed():
                break
            try:
                if self._access.vms.get(self._new.node, deadline) is None:
                    return None
                why = "the EMS lists it no more and still answers for it"
            except EmsError as error:
                why = str(error)
        self._note(
            structs.replace(self._entry, phase="deleting"), Deadline.after(self._access.manifest.connect_timeout)
        )
        return why

    def _last_word(self, why: str) -> str:
        manifest = self._access.manifest
        try:
            self._access.vms.get(self._new.node, Deadline.after(manifest.connect_timeout + manifest.read_timeout))
        except EmsError as error:
            return str(error)
        return why

    def _note(self, entry: Entry, deadline: Deadline) -> None:
        with self._access.ledger.locked(self._new.node, deadline) as slot:
            slot.write(entry)
        self._entry = entry

    def _step(self, reached: str | None, text: str) -> None:
        now = time.monotonic() - self._started
        if reached is not None:
            self._seconds[reached] = round(now, 3)
        self._tell(now, text)

    def _looks(self, deadline: Deadline) -> Iterator[None]:
        """Yields at once and then after short pauses, until the deadline comes or somebody breaks off."""
        pause = _SHORTEST_PAUSE
        while not self._stop():
            yield
            end = Deadline.after(pause)
            while not (end.passed() or deadline.passed() or self._stop()):
                time.sleep(min(_SHORTEST_PAUSE, end.left()))
            if deadline.passed():
                return
            pause = min(2 * pause, _LONGEST_PAUSE)


def _may_come_late(error: EmsError) -> bool:
    return isinstance(error, EmsUnreachable) or (isinstance(error, EmsRefused) and error.status in _GAVE_UP)
