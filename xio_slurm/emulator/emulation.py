"""The emulator without HTTP: the state, what boots its VMs, and the timer that lets its time pass."""

import asyncio
import time
from typing import Any

from xio_slurm.emulator.answers import Refusal
from xio_slurm.emulator.boot import Booter, NoBooter, UserDataBooter
from xio_slurm.emulator.options import Options
from xio_slurm.emulator.state import State
from xio_slurm.errors import EmulatorError


class Emulation:
    """Lives in one event loop. ``close`` ends all that it started."""

    def __init__(self, options: Options) -> None:
        self._options = options
        # Stamps that read like time.time() and never step back when the machine's clock is set.
        self._epoch = time.time() - time.monotonic()
        try:
            self.state = State(options, self.clock)
        except Refusal as refusal:
            raise EmulatorError(f"scenario: {refusal.text}") from None
        self.booter: Booter = self._booter() if options.run_user_data else NoBooter()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def clock(self) -> float:
        """Now, in seconds since the epoch."""
        return self._epoch + time.monotonic()

    def _booter(self) -> Booter:
        return UserDataBooter(self._options, self._script_started, self._script_ended)

    # A reset makes a new state, so these look for it each time.

    def _script_started(self, serial: int, pid: int, log: str) -> None:
        self.state.fleet.script_started(serial, pid, log)

    def _script_ended(self, serial: int, exit_code: int) -> None:
        self.state.fleet.script_ended(serial, exit_code)

    def tick(self) -> None:
        """Do what is due, and come back when the next thing is."""
        came_up, ending = self.state.fleet.tick()
        for vm in came_up:
            self.booter.start(vm)
        for vm in ending:
            task = asyncio.get_running_loop().create_task(self._end(self.state, vm.serial))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.state.fleet.next_due()
        if due is not None:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, due - self.clock()), self.tick)

    async def _end(self, state: State, serial: int) -> None:
        await self.booter.end(serial)
        state.fleet.finish(serial)

    async def reset(self) -> None:
        """End all VMs and begin again as the emulator was started."""
        serial = self.state.fleet.last_serial
        self.state = State(self._options, self.clock)
        self.state.fleet.last_serial = serial  # a report of an old VM's process can't be taken for a new one's
        self._set_timer()
        await self.booter.end_all()

    async def close(self) -> None:
        """End everything."""
        if self._timer is not None:
            self._timer.cancel()
        await self.booter.end_all()
        await asyncio.gather(*self._tasks)
        self.booter.close()
