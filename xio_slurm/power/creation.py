"""Makes the VM of one node, so that it is one VM and ours, whatever happens on the way.

In the common case a node costs one request: that the EMS has no VM of its name is known from one list for the whole
call. Everything else is looked at again under the node's lock.
"""

import time
from dataclasses import dataclass, replace

from xio_slurm.deadline import Deadline
from xio_slurm.ems.vms import NewVm, Vms
from xio_slurm.errors import EmsError, EmsRefused, EmsUnreachable
from xio_slurm.events import Events
from xio_slurm.ledger import Entry, Ledger, Run, Slot
from xio_slurm.manifest import Manifest, Pool
from xio_slurm.power import user_data
from xio_slurm.power.decide import OnResume, on_resume
from xio_slurm.power.outcome import Done, ForeignVmError, Left, Outcome
from xio_slurm.power.waiting import wait_until_gone


@dataclass(frozen=True, slots=True)
class Creation:
    """Makes VMs for one call. ``listed`` are the names that the EMS has, None where it couldn't tell."""

    manifest: Manifest
    cluster: str
    vms: Vms
    ledger: Ledger
    events: Events
    run: Run
    deadline: Deadline
    listed: frozenset[str] | None

    def create(self, node: str) -> Outcome:
        """See to it that the EMS makes the node's VM. Raises XioError when it doesn't."""
        pool = self.manifest.pool_of(node)
        if pool is None:
            raise ForeignVmError("no pool of the manifest holds the node")
        with self.ledger.locked(node, self.deadline) as slot:
            entry = slot.read()
            action = on_resume(
                entry,
                exists=self._exists(node, entry),
                run=self.run,
                resume_timeout=self.manifest.resume_timeout,
            )
            return self._act(action, slot, node, pool, entry)

    def _exists(self, node: str, entry: Entry | None) -> bool:
        # The list is as old as our start. It says for certain only that a VM nobody asked for isn't there.
        if entry is None and self.listed is not None and node not in self.listed:
            return False
        return self.vms.get(node, self.deadline) is not None

    def _act(self, action: OnResume, slot: Slot, node: str, pool: Pool, entry: Entry | None) -> Outcome:
        match action:
            case OnResume.YIELD:
                return Left(node, "a program that was called later has seen to it")
            case OnResume.FOREIGN:
                raise self._foreign(slot, node, pool)
            case OnResume.ADOPT if entry is not None:
                slot.write(replace(entry, phase="ours", run=self.run))
                self.events.record("adopted", node=node, pool=pool.name, ems_job=entry.ems_job)
                return Done(node, "adopted")
            case OnResume.REPLACE if entry is not None:
                slot.write(replace(entry, phase="deleting", run=self.run))
                self.vms.delete(node, self.deadline)
                wait_until_gone(self.vms, node, self.deadline)
                self.events.record("replaced", node=node, pool=pool.name)
        return self._ask(slot, node, pool, attempts=entry.attempts + 1 if entry else 1)

    def _ask(self, slot: Slot, node: str, pool: Pool, attempts: int) -> Outcome:
        entry = Entry(node, pool.name, "asking", self.run, asked=time.time(), attempts=attempts)
        slot.write(entry)
        self.events.record("asking", node=node, pool=pool.name)
        started = time.monotonic()
        try:
            job = self.vms.create(self._new_vm(node, pool), self.deadline)
        except EmsError as error:
            self._settle(slot, entry, pool, error)
            job = None
        slot.write(replace(entry, phase="ours", ems_job=job))
        seconds = round(time.monotonic() - started, 3)
        self.events.record("asked", node=node, pool=pool.name, ems_job=job, seconds=seconds)
        return Done(node, "asked")

    def _settle(self, slot: Slot, entry: Entry, pool: Pool, error: EmsError) -> None:
        """After an answer that wasn't a clear yes: return if the VM is there and ours, else raise the error."""
        if isinstance(error, EmsUnreachable) and not error.sent:
            slot.remove()
            raise error
        slot.write(replace(entry, error=str(error)))
        try:
            exists = self.vms.get(entry.node, self.deadline) is not None
        except EmsError:
            exists = False  # still "asking": if it exists, it is ours, and the suspend that follows deletes it
        if not exists:
            raise error
        if isinstance(error, EmsRefused) and 400 <= error.status < 500:
            # It wasn't there before and we were told no: another one made it in between.
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
