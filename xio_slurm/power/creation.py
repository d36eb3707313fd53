"""Makes the VM of one node, so that it is one VM and ours, whatever happens on the way.

In the common case a node costs one request: that the EMS has no VM of its name is known from one list for the whole
call. Everything else is looked at again under the node's lock.

What passes is tried again. After an answer that was lost the EMS is looked at, again and again, before it is asked
once more: it may still be at it, and a second request could make a second VM.
"""

import time
from collections.abc import Container
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from xio_slurm.deadline import Deadline
from xio_slurm.ems.vms import NewVm, Vms
from xio_slurm.errors import EmsError, EmsUnreachable
from xio_slurm.events import Events
from xio_slurm.ledger import Entry, Ledger, Run, Slot
from xio_slurm.manifest import Manifest, Pool
from xio_slurm.power import user_data
from xio_slurm.power.call_gate import CallGate
from xio_slurm.power.decide import OnResume, is_ours_after, made_nothing, may_come_late, on_resume
from xio_slurm.power.outcome import Done, ForeignVmError, Left, Outcome, failure
from xio_slurm.power.retrying import LostAnswerError, of_no_create, passes
from xio_slurm.power.waiting import pauses

if TYPE_CHECKING:
    from xio_slurm.power.root_password import PasswordHash

_LATEST: Final = 600.0
"""Seconds after which a request that was lost isn't carried out any more."""


class Creation(Struct, frozen=True):
    """Makes VMs for one call. ``listed`` are the names that the EMS has, None where it couldn't tell.

    ``patience`` ends before ``deadline``: until then what passes is tried again. ``root_password`` is None where none
    is configured or to be had. ``in_use``: the nodes that Slurm uses already, since this call comes too late.
    """

    manifest: Manifest
    cluster: str
    vms: Vms
    ledger: Ledger
    events: Events
    run: Run
    deadline: Deadline
    patience: Deadline
    listed: frozenset[str] | None
    root_password: "PasswordHash | None"
    gate: CallGate
    in_use: Container[object]

    def create(self, node: str) -> Outcome:
        """See to it that the EMS makes the node's VM. Raises XioError when it doesn't."""
        pool = self.manifest.pool_of(node)
        if pool is None:
            raise ForeignVmError("no pool of the manifest holds the node")
        try:
            return self._create(node, pool)
        except EmsError as error:
            refused = failure(node, error)
            self.events.record("refused", node=node, code=refused.code, text=refused.text)
            self.gate.failed(pool.name, refused)
            raise

    def _create(self, node: str, pool: Pool) -> Outcome:
        last = EmsError("no time was left to ask the EMS for it")
        lost: LostAnswerError | None = None
        late = self._may_come(self.ledger.peek(node))
        for _ in pauses(self.deadline, jitter=True):
            if self.deadline.passed() and self.listed is not None:
                break  # it answers, but not fast enough
            # Between two tries the lock isn't held: a suspend that comes meanwhile must get its turn.
            try:
                outcome = self._try(node, pool, lost, late=late)
            except EmsError as error:
                lost = error if isinstance(error, LostAnswerError) else lost
                last = error.told if isinstance(error, LostAnswerError) else error
                if not passes(error) or self.patience.passed():
                    break
            else:
                if outcome is not None:
                    return outcome
                last = EmsError("the earlier VM of this name is still being deleted")
        raise last

    def _try(self, node: str, pool: Pool, lost: LostAnswerError | None, *, late: bool) -> Outcome | None:
        """Do what is to be done now; None: an earlier VM must go first.

        ``lost``: the last ask whose answer was. ``late``: an earlier call's may still be carried out.
        """
        with self.ledger.locked(node, self.deadline) as slot:
            entry = slot.read()
            if (refused := self.gate.refusal(node, pool.name)) is not None:
                self._disown(slot, node, pool, entry)
                return refused
            exists = self._exists(slot, node, pool, entry)
            now = time.time()
            timeout = self.manifest.resume_timeout
            action = on_resume(entry, exists=exists, run=self.run, now=now, resume_timeout=timeout)
            if action is OnResume.ASK and lost is not None and lost.may_come():
                raise lost
            if entry is None or action is not OnResume.REPLACE:
                return self._act(action, slot, node, pool, entry, again=late or lost is not None)
            if node in self.in_use:
                return Left(node, "Slurm uses it already: this call came too late")
            slot.add(entry.at("deleting", self.run))
            self.events.record("deleting", node=node)
            try:
                self.vms.delete(node, self.deadline)
            except EmsError as error:
                raise of_no_create(error) from None
            return None

    def _exists(self, slot: Slot, node: str, pool: Pool, entry: Entry | None) -> bool:
        # The list is as old as our start. It says for certain only that a VM nobody asked for isn't there.
        not_asked_for = entry is None or (entry.phase == "gone" and not entry.unanswered)
        if not_asked_for and self.listed is not None and node not in self.listed:
            return False
        try:
            return self.vms.get(node, self.deadline) is not None
        except EmsError as error:
            self._disown(slot, node, pool, entry)
            raise of_no_create(error) from None

    def _disown(self, slot: Slot, node: str, pool: Pool, entry: Entry | None) -> None:
        """Whatever is there of a node never seen isn't ours: the suspend that follows this failure must leave it."""
        if entry is None:
            slot.write(Entry(node, pool.name, "gone", self.run, asked=self.run.called))

    def _act(self, action: OnResume, slot: Slot, node: str, pool: Pool, entry: Entry | None, *, again: bool) -> Outcome:
        match action:
            case OnResume.YIELD:
                return Left(node, "a program that was called later has seen to it")
            case OnResume.FOREIGN:
                raise self._foreign(slot, node, pool)
            case OnResume.ADOPT if entry is not None:
                slot.add(entry.at("ours", self.run))
                self.events.record("adopted", node=node, ems_job=entry.ems_job)
                return Done(node, "adopted")
        return self._ask(slot, node, pool, entry, again=again)

    def _ask(self, slot: Slot, node: str, pool: Pool, before: Entry | None, *, again: bool) -> Outcome:
        base = before.at("asking", self.run) if before else Entry(node, pool.name, "asking", self.run, asked=0)
        entry = replace(base, asked=time.time(), attempts=base.attempts + 1, ems_job=None, error=None)
        slot.write(entry)
        self.events.record("asking", node=node)
        started = time.monotonic()
        try:
            job = self.vms.create(self._new_vm(node, pool), self.deadline)
        except EmsError as error:
            self._settle(slot, entry, pool, error)
            job = None
        # A request that was lost may still come: then a VM that appears later is ours too.
        slot.add(replace(entry, phase="ours", ems_job=job, unanswered=entry.unanswered and again))
        self.gate.made(pool.name)
        seconds = round(time.monotonic() - started, 3)
        self.events.record("asked", node=node, ems_job=job, seconds=seconds)
        return Done(node, "asked")

    def _may_come(self, before: Entry | None) -> bool:
        """Whether an earlier call's request may still be carried out."""
        if before is None or not (before.unanswered or before.phase == "asking"):
            return False
        return abs(time.time() - before.asked) < _LATEST

    def _settle(self, slot: Slot, entry: Entry, pool: Pool, error: EmsError) -> None:
        """After an answer that wasn't a clear yes: return if the VM is there and ours, else raise the error."""
        failed = replace(entry, error=str(error))
        slot.add(replace(failed, phase="gone") if made_nothing(error) else failed)
        if isinstance(error, EmsUnreachable) and not error.sent:
            raise error
        try:
            exists = self.vms.get(entry.node, self.deadline) is not None
        except EmsError:  # the entry says what is to be done if it exists after all
            raise LostAnswerError(error) if may_come_late(error) else error from None
        if not exists:
            raise LostAnswerError(EmsError(f"{error}; no VM came of it")) if may_come_late(error) else error
        if not is_ours_after(error, entry):
            raise self._foreign(slot, entry.node, pool) from error

    def _foreign(self, slot: Slot, node: str, pool: Pool) -> ForeignVmError:
        slot.write(Entry(node, pool.name, "foreign", self.run, asked=time.time()))
        self.events.record("foreign", node=node)
        return ForeignVmError(
            "the EMS has a VM of this name that this cluster didn't make: it is left alone; "
            "delete it there, or choose another NodePrefix"
        )

    def _new_vm(self, node: str, pool: Pool) -> NewVm:
        script = user_data.render(
            self.manifest.user_data,
            node=node,
            pool=pool.name,
            cluster=self.cluster,
            mounts=self.manifest.mounts,
            hook_script=self.manifest.vm_hook_script or "",
            root_password_hash=self.root_password.text if self.root_password else "",
        )
        return NewVm(
            node=node,
            pool=pool.name,
            profile=pool.profile,
            image=pool.image,
            cpus=pool.cpus,
            max_memory=pool.max_memory,
            min_memory=pool.min_memory,
            volume_size=pool.volume_size,
            user_data=user_data.encode(script),
            enable_wo=self.manifest.product == "xwo",
        )
