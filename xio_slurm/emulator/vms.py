"""The EMS's VMs: asked for, up, being deleted, gone. Nothing here knows HTTP, processes or the event loop.

Time passes when ``tick`` is called: it does everything that is due by then, in order.
"""

import heapq
import re
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from xio_slurm.emulator.addresses import Addresses
from xio_slurm.emulator.answers import Refusal
from xio_slurm.emulator.faults import Applied, NeverBoots, NoCapacity, ScriptFails, SlowBoot, VmDies
from xio_slurm.emulator.records import Event, EventKind, Vm
from xio_slurm.emulator.settings import Settings

_KEPT: Final = 20_000
"""How many VMs that are gone, and how many events, are remembered."""
_NODE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}\Z", re.ASCII)


class VmShape(BaseModel):
    """``VM`` in the body of a create. Types as evidenced; keys that nobody has shown are kept."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    CPUs: int
    ImageName: str
    MaxMemory: int
    VolumeSize: int | None = None
    MinMemory: int | None = None
    UserData: str = ""
    EnableWO: bool | None = None
    PrefixEnabled: bool | None = None


class CreateVm(BaseModel):
    """The body of a create."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    NodeName: str
    PoolName: str
    ProfileName: str
    VM: VmShape


@dataclass(frozen=True, slots=True)
class Controller:
    """The controller that runs a profile's VMs."""

    node: str
    address: str


class Fleet:
    """All VMs of the EMS, and what happened to them."""

    def __init__(self, clock: Callable[[], float], addresses: Addresses, random: Random) -> None:
        self._clock = clock
        self._addresses = addresses
        self._random = random
        self._alive: dict[int, Vm] = {}
        self._by_node: dict[str, list[int]] = {}
        self._gone: deque[Vm] = deque(maxlen=_KEPT)
        self._due: list[tuple[float, int, Literal["up", "dies", "gone"]]] = []
        self.last_serial = 0
        self._controllers: dict[str, Controller] = {}
        self.history: deque[Event] = deque(maxlen=_KEPT)

    # What there is

    def alive(self) -> list[Vm]:
        """Every VM that isn't gone, the oldest first."""
        return list(self._alive.values())

    def everything(self) -> list[Vm]:
        """The VMs that are gone too."""
        return [*self._gone, *self._alive.values()]

    def named(self, node: str) -> list[Vm]:
        """The VMs of this name, the oldest first: none, one, or more where twins were made."""
        return [self._alive[serial] for serial in self._by_node.get(node, ())]

    def of_profile(self, profile: str) -> list[Vm]:
        """The VMs of a profile."""
        return [vm for vm in self._alive.values() if vm.profile == profile]

    def next_due(self) -> float | None:
        """When ``tick`` has something to do again."""
        return self._due[0][0] if self._due else None

    def controller(self, profile: str) -> Controller | None:
        """The profile's controller; None before its first VM."""
        return self._controllers.get(profile)

    # What changes it

    def create(self, body: CreateVm, settings: Settings, applied: Applied) -> Vm:
        """A new VM, or the one that has the name already where the settings say so. Raises Refusal."""
        if not _NODE_NAME.match(body.NodeName):
            raise Refusal(400, f"NodeName {body.NodeName!r} is no host name")
        existing = self.named(body.NodeName)
        if existing and settings.existing_vm == "same":
            return existing[-1]
        if existing and settings.existing_vm != "second":
            raise Refusal(int(settings.existing_vm), f"VM {body.NodeName} exists")
        full = applied.first(NoCapacity)
        if full is not None:
            raise Refusal(full.status, full.error)
        self._start_controller(body.ProfileName)
        return self._new(body, settings, applied)

    def _new(self, body: CreateVm, settings: Settings, applied: Applied) -> Vm:
        now = self._clock()
        self.last_serial += 1
        vm = Vm(
            serial=self.last_serial,
            node=body.NodeName,
            pool=body.PoolName,
            profile=body.ProfileName,
            job_id=str(uuid.uuid4()),
            request=_without_user_data(body.model_dump(exclude_unset=True)),
            user_data=body.VM.UserData,
            created=now,
            up_due=self._up_due(now, settings, applied),
            script_fails=fails.exit_code if (fails := applied.first(ScriptFails)) else None,
        )
        self._alive[vm.serial] = vm
        self._by_node.setdefault(vm.node, []).append(vm.serial)
        self._note("vm-asked", vm)
        if vm.up_due is not None:
            heapq.heappush(self._due, (vm.up_due, vm.serial, "up"))
            if dies := applied.first(VmDies):
                heapq.heappush(self._due, (vm.up_due + dies.seconds, vm.serial, "dies"))
        return vm

    def _up_due(self, now: float, settings: Settings, applied: Applied) -> float | None:
        if applied.first(NeverBoots):
            return None
        slow = applied.first(SlowBoot)
        seconds = slow.seconds if slow else settings.boot_seconds
        return now + seconds + self._random.random() * settings.boot_jitter

    def _start_controller(self, profile: str) -> None:
        if profile in self._controllers:
            return
        address = self._addresses.take()
        if address is None:
            raise Refusal(503, "no address is left for a controller")
        self._controllers[profile] = Controller(f"{profile}-controller-1", address)

    def mark_deleted(self, vm: Vm, delete_seconds: float) -> Vm:
        """A DELETE was asked for; the VM is gone when ``finish`` is called, or by itself after these seconds."""
        vm = self._keep(replace(vm, delete_asked=self._clock(), delete_seconds=delete_seconds))
        self._note("delete-asked", vm)
        if delete_seconds > 0:
            heapq.heappush(self._due, (self._clock() + delete_seconds, vm.serial, "gone"))
        return vm

    def finish(self, serial: int) -> None:
        """The VM is gone. A second call does nothing."""
        vm = self._alive.pop(serial, None)
        if vm is None:
            return
        self._by_node[vm.node].remove(serial)
        if not self._by_node[vm.node]:
            del self._by_node[vm.node]
        if vm.address is not None:
            self._addresses.give_back(vm.address)
        vm = replace(vm, gone=self._clock())
        self._gone.append(vm)
        self._note("vm-gone", vm)

    def script_started(self, serial: int, pid: int, log: str) -> None:
        """The VM's user data runs, as this process."""
        if vm := self._alive.get(serial):
            self._keep(replace(vm, pid=pid, log=log))

    def script_ended(self, serial: int, exit_code: int) -> None:
        """The VM's user data has ended; the VM stays, with nothing in it."""
        if vm := self._alive.get(serial):
            vm = self._keep(replace(vm, exit_code=exit_code))
            self._note("script-ended", vm)

    def tick(self) -> tuple[list[Vm], list[Vm]]:
        """Do what is due.

        Answers the VMs that came up, and those whose end has come, for which ``finish`` is still to be called.
        """
        came_up: list[Vm] = []
        ending: list[Vm] = []
        while self._due and self._due[0][0] <= self._clock():
            _, serial, what = heapq.heappop(self._due)
            vm = self._alive.get(serial)
            if vm is None:
                continue
            if what == "up":
                if vm.delete_asked is None:
                    came_up += self._bring_up(vm)
            else:
                ending.append(vm)
        return came_up, ending

    def _bring_up(self, vm: Vm) -> list[Vm]:
        address = self._addresses.take()
        if address is None:  # the network is full: try again, as an EMS that waits for an address would
            heapq.heappush(self._due, (self._clock() + 1.0, vm.serial, "up"))
            return []
        vm = self._keep(replace(vm, address=address, up=self._clock()))
        self._note("vm-up", vm)
        return [vm]

    def _keep(self, vm: Vm) -> Vm:
        self._alive[vm.serial] = vm
        return vm

    def _note(self, event: EventKind, vm: Vm) -> None:
        self.history.append(Event(self._clock(), event, vm.node, vm.serial))


def _without_user_data(body: dict[str, Any]) -> Mapping[str, Any]:
    return {**body, "VM": {key: value for key, value in body["VM"].items() if key != "UserData"}}
