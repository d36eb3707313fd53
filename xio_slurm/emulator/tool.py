"""The emulator in a test written in Python: a context manager that runs it in a thread of its own."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from xio_slurm.emulator.faults import Numbered
from xio_slurm.emulator.options import Options
from xio_slurm.emulator.records import Event, RequestRecord, Vm
from xio_slurm.emulator.scenario import Scenario, change_settings, parse_fault
from xio_slurm.emulator.server import Server
from xio_slurm.emulator.settings import Settings
from xio_slurm.emulator.state import Requests, State
from xio_slurm.errors import EmulatorError

_T = TypeVar("_T")


class Emulator:
    """An EMS on a free port of this machine, from ``__enter__`` to ``__exit__``.

    Keyword arguments are settings (``boot_seconds=0.1``), on top of the scenario's. ``url`` is the base URL for the
    client under test. With ``tls``, a folder, it speaks TLS with the certificates there, and makes them if there are
    none. Raises EmulatorError for a setting or a fault that makes no sense.
    """

    def __init__(
        self,
        *,
        scenario: Scenario | None = None,
        run_user_data: bool = False,
        vm_env: Mapping[str, str] | None = None,
        vm_dir: Path | None = None,
        vm_addresses: str = "127.77.0.0/16",
        kill_grace: float = 2.0,
        tls: Path | None = None,
        **settings: Any,
    ) -> None:
        base = scenario or Scenario()
        changed = change_settings(base.settings, settings)
        self._options = Options(
            scenario=base.model_copy(update={"settings": changed}),
            run_user_data=run_user_data,
            vm_env=vm_env or {},
            vm_dir=vm_dir,
            vm_addresses=vm_addresses,
            kill_grace=kill_grace,
            tls=tls,
        ).checked()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._server: Server | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="xio-emulator", daemon=True)
        self._thread.start()
        try:
            self._server = self._run(_started(self._options))
        except BaseException:
            self._end_loop()
            raise
        self.url = self._server.url
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        server, self._server = self._server, None
        try:
            if server is not None:
                self._run(_stopped(server))
        finally:
            self._end_loop()

    # How it behaves

    def settings(self) -> Settings:
        """The settings as they are."""
        return self._ask(lambda state: state.settings)

    def change(self, **settings: Any) -> Settings:
        """Change some settings; answers all of them."""

        def change(state: State) -> Settings:
            state.change_settings(change_settings(state.settings, settings))
            return state.settings

        return self._ask(change)

    def add_fault(self, **fault: Any) -> int:
        """Add a fault, given as in a scenario: ``effect="status", status=503, times=2``. Answers its id."""
        parsed = parse_fault(fault)
        return self._ask(lambda state: state.add_fault(parsed).id)

    def faults(self) -> list[Numbered]:
        """The faults, and how often each has hit."""
        return self._ask(lambda state: list(state.faults))

    def remove_fault(self, fault_id: int) -> None:
        """Take a fault back; raises EmulatorError if there is none with this id."""
        if not self._ask(lambda state: state.remove_fault(fault_id)):
            raise EmulatorError(f"no fault {fault_id}")

    def remove_faults(self) -> None:
        """Take all faults back."""
        self._ask(lambda state: state.faults.clear())

    def reset(self) -> None:
        """End all VMs, forget everything, and be as at the start."""
        self._run(self._running().emulation.reset())

    # What happened

    def vms(self) -> list[Vm]:
        """The VMs that there are, the oldest first; those being deleted too."""
        return self._ask(lambda state: state.fleet.alive())

    def all_vms(self) -> list[Vm]:
        """The VMs that are gone too."""
        return self._ask(lambda state: state.fleet.everything())

    def requests(self, method: str | None = None, path: str | None = None) -> list[RequestRecord]:
        """The requests that were answered or dropped, in that order; of one method, and with ``path`` in their path."""
        log = self._ask(lambda state: list(state.requests.log))
        return [each for each in log if method in {None, each.method} and (path is None or path in each.path)]

    def peak(self) -> int:
        """How many requests there were at a time, at most."""
        return self._ask(lambda state: state.requests.peak)

    def forget_requests(self) -> None:
        """Begin the log of requests anew."""

        def forget(state: State) -> None:
            state.requests = Requests()

        self._ask(forget)

    def history(self) -> list[Event]:
        """What happened to VMs, in order."""
        return self._ask(lambda state: list(state.fleet.history))

    def wait_until(self, condition: Callable[[], _T], seconds: float = 30.0) -> _T:
        """Ask until the condition holds, and answer it; raises EmulatorError if it doesn't in time."""
        deadline = time.monotonic() + seconds
        while not (result := condition()):
            if time.monotonic() > deadline:
                raise EmulatorError(f"waited {seconds:g} s in vain; VMs: {[vm.node for vm in self.vms()]}")
            time.sleep(0.01)
        return result

    def _ask(self, question: Callable[[State], _T]) -> _T:
        return self._run(_asked(self._running(), question))

    def _running(self) -> Server:
        if self._server is None:
            raise EmulatorError("the emulator isn't running: use it in a with statement")
        return self._server

    def _run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        if self._loop is None:
            coroutine.close()
            raise EmulatorError("the emulator isn't running: use it in a with statement")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _end_loop(self) -> None:
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None


async def _started(options: Options) -> Server:
    server = Server(options)
    await server.start()
    return server


async def _stopped(server: Server) -> None:
    await server.stop()
    # TLS handshakes that a client has begun and left so, which aiohttp doesn't know of.
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    for _ in range(5):  # rounds of the loop until what has ended is closed as well
        await asyncio.sleep(0)


async def _asked(server: Server, question: Callable[[State], _T]) -> _T:
    server.emulation.tick()
    return question(server.emulation.state)
