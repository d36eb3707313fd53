"""Makes the VM of one node, so that it is one VM and ours, whatever happens on the way.

In the common case a node costs one request: that the EMS has no VM of its name is known from one list for the whole
call. Everything else is looked at again under the node's lock.
"""

import time
from dataclasses import dataclass, replace

from xio_slurm.deadline import Deadline
from xio_slurm.ems.vms import NewVm, Vms
from xio_slurm.errors import EmsError, EmsUnreachable
from xio_slurm.events import Events
from xio_slurm.ledger import Entry, Ledger, Run, Slot
from xio_slurm.manifest import Manifest, Pool
from xio_slurm.power import user_data
from xio_slurm.power.decide import OnResume, is_ours_after, made_nothing, on_resume
from xio_slurm.power.outcome import Done, ForeignVmError, Left, Outcome
from xio_slurm.power.root_password import PasswordHash
from xio_slurm.power.waiting import pauses


@dataclass(frozen=True, slots=True)
class Creation:
    """Makes VMs for one call. ``listed`` are the names that the EMS has, None where it couldn't tell.

    ``root_password`` is None where none is configured or to be had.
    """

    manifest: Manifest
    cluster: str
    vms: Vms
    ledger: Ledger
    events: Events
    run: Run
    deadline: Deadline
    listed: frozenset[str] | None
    root_password: PasswordHash | None

    def create(self, node: str) -> Outcome:
        """See to it that the EMS makes the node's VM. Raises XioError when it doesn't."""
        pool = self.manifest.pool_of(node)
        if pool is None:
            raise ForeignVmError("no pool of the manifest holds the node")
        for _ in pauses(self.deadline):
            # The lock isn't held while an earlier VM goes: a suspend that comes meanwhile must get its turn.
            with self.ledger.locked(node, self.deadline) as slot:
                entry = slot.read()
                exists = self._exists(slot, node, pool, entry)
                now = time.time()
                timeout = self.manifest.resume_timeout
                action = on_resume(entry, exists=exists, run=self.run, now=now, resume_timeout=timeout)
                if entry is None or action is not OnResume.REPLACE:
                    return self._act(action, slot, node, pool, entry)
                slot.write(entry.at("deleting", self.run))
                self.events.record("deleting", node=node, pool=pool.name)
                self.vms.delete(node, self.deadline)
        raise EmsUnreachable("the earlier VM of this name is still being deleted", sent=True)

    def _exists(self, slot: Slot, node: str, pool: Pool, entry: Entry | None) -> bool:
        # The list is as old as our start. It says for certain only that a VM nobody asked for isn't there.
        not_asked_for = entry is None or (entry.phase == "gone" and not entry.unanswered)
        if not_asked_for and self.listed is not None and node not in self.listed:
            return False
        try:
            return self.vms.get(node, self.deadline) is not None
        except EmsError:
            if entry is None:
                # Whatever is there isn't ours, so the suspend that follows this failure must leave it.
                slot.write(Entry(node, pool.name, "gone", self.run, asked=self.run.called))
            raise

    def _act(self, action: OnResume, slot: Slot, node: str, pool: Pool, entry: Entry | None) -> Outcome:
        match action:
            case OnResume.YIELD:
                return Left(node, "a program that was called later has seen to it")
            case OnResume.FOREIGN:
                raise self._foreign(slot, node, pool)
            case OnResume.ADOPT if entry is not None:
                slot.write(entry.at("ours", self.run))
                self.events.record("adopted", node=node, pool=pool.name, ems_job=entry.ems_job)
                return Done(node, "adopted")
        return self._ask(slot, node, pool, entry)

    def _ask(self, slot: Slot, node: str, pool: Pool, before: Entry | None) -> Outcome:
        base = before.at("asking", self.run) if before else Entry(node, pool.name, "asking", self.run, asked=0)
        entry = replace(base, asked=time.time(), attempts=base.attempts + 1, ems_job=None, error=None)
        slot.write(entry)
        self.events.record("asking", node=node, pool=pool.name)
        started = time.monotonic()
        try:
            job = self.vms.create(self._new_vm(node, pool), self.deadline)
        except EmsError as error:
            self._settle(slot, entry, pool, error)
            job = None
        slot.write(replace(entry, phase="ours", ems_job=job, unanswered=False))
        seconds = round(time.monotonic() - started, 3)
        self.events.record("asked", node=node, pool=pool.name, ems_job=job, seconds=seconds)
        return Done(node, "asked")

    def _settle(self, slot: Slot, entry: Entry, pool: Pool, error: EmsError) -> None:
        """After an answer that wasn't a clear yes: return if the VM is there and ours, else raise the error."""
        failed = replace(entry, error=str(error))
        slot.write(replace(failed, phase="gone") if made_nothing(error) else failed)
        if isinstance(error, EmsUnreachable) and not error.sent:
            raise error
        try:
            exists = self.vms.get(entry.node, self.deadline) is not None
        except EmsError:
            exists = False  # the entry says what is to be done if it exists after all
        if not exists:
            raise error
        if not is_ours_after(error, entry):
            raise self._foreign(slot, entry.node, pool) from error

    def _foreign(self, slot: Slot, node: str, pool: Pool) -> ForeignVmError:
        slot.write(Entry(node, pool.name, "foreign", self.run, asked=time.time()))
        self.events.record("foreign", node=node, pool=pool.name)
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
