"""Boots VMs by running their user data, each under a first process of its own (``vm_init``).

One pipe is the leash of a VM: closing it ends everything in the VM, and the kernel closes it when the emulator dies.
"""

import asyncio
import base64
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from xio_slurm.emulator import vm_init
from xio_slurm.emulator.options import Options
from xio_slurm.emulator.private_file import write_private
from xio_slurm.emulator.records import Vm
from xio_slurm.errors import EmulatorError

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LOG: Final = logging.getLogger(__name__)
CANNOT_RUN: Final = 126
"""The exit code of user data that couldn't be run, as a shell has it."""
_REPORT: Final = re.compile(rb"(pid|exit) (-?\d+)\n")


class Booter(Protocol):
    """What happens in a VM that is up."""

    def start(self, vm: Vm) -> None:
        """Boot it."""

    async def end(self, serial: int) -> None:
        """End all that runs in it; at once if nothing does."""

    async def end_all(self) -> None:
        """End all that runs in any VM."""

    def close(self) -> None:
        """Leave nothing behind."""


class NoBooter:
    """VMs with nothing in them: nothing that a request brings is ever run."""

    def start(self, vm: Vm) -> None:
        """Nothing runs."""

    async def end(self, serial: int) -> None:
        """Nothing runs."""

    async def end_all(self) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Nothing to leave."""


@dataclass
class _Running:
    vm: Vm
    log: Path
    process: subprocess.Popen[bytes]
    leash: int
    reports: int
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    unread: bytes = b""


class UserDataBooter:
    """Runs each VM's user data. ``started`` and ``script_ended`` are told as it goes."""

    def __init__(
        self,
        options: Options,
        started: Callable[[int, int, str], None],
        script_ended: Callable[[int, int], None],
    ) -> None:
        self._grace = options.kill_grace
        self._env = options.vm_env
        self._started = started
        self._script_ended = script_ended
        self._running: dict[int, _Running] = {}
        self._own_folder = options.vm_dir is None
        self.folder = _folder(options.vm_dir)

    def start(self, vm: Vm) -> None:
        """Run the VM's user data, unless there is none or a fault says that it failed."""
        if vm.script_fails is not None:
            self._script_ended(vm.serial, vm.script_fails)
            return
        if not vm.user_data:
            return
        script = self.folder / f"{vm.node}.{vm.serial}.user-data"
        try:
            write_private(script, base64.b64decode(vm.user_data), mode=0o700)
            running = self._spawn(vm, script, self.folder / f"{vm.node}.log")
        except OSError as error:  # no space, no process, no descriptor: this VM's boot fails, the emulator goes on
            _LOG.error("VM %s: its user data can't be run: %s", vm.node, error)
            self._script_ended(vm.serial, CANNOT_RUN)
            return
        self._running[vm.serial] = running
        asyncio.get_running_loop().add_reader(running.reports, self._read_report, running)

    def _spawn(self, vm: Vm, script: Path, log: Path) -> _Running:
        with ExitStack() as theirs, ExitStack() as ours:
            log_file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            theirs.callback(os.close, log_file)
            leash_end, leash = os.pipe()
            theirs.callback(os.close, leash_end)
            ours.callback(os.close, leash)
            reports, report_end = os.pipe()
            theirs.callback(os.close, report_end)
            ours.callback(os.close, reports)
            os.set_blocking(reports, False)
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", vm_init.__file__, str(script), str(self._grace)],
                stdin=leash_end,
                stdout=report_end,
                stderr=log_file,
                cwd="/",
                env=vm_environment(vm, self._env),
                start_new_session=True,
            )
            ours.pop_all()  # kept open, now that the VM runs
        return _Running(vm, log, process, leash, reports)

    def _read_report(self, running: _Running) -> None:
        data = os.read(running.reports, 4096)
        if not data:
            self._forget(running)
            return
        running.unread += data
        for what, number in _REPORT.findall(running.unread):
            if what == b"pid":
                self._started(running.vm.serial, int(number), str(running.log))
            else:
                self._script_ended(running.vm.serial, int(number))
        running.unread = running.unread.rpartition(b"\n")[2]

    def _forget(self, running: _Running) -> None:
        asyncio.get_running_loop().remove_reader(running.reports)
        os.close(running.reports)
        self._cut(running)
        running.process.wait()  # it closed its end of the pipe by ending, so this is at once
        del self._running[running.vm.serial]
        running.ended.set()

    @staticmethod
    def _cut(running: _Running) -> None:
        if running.leash >= 0:
            os.close(running.leash)
            running.leash = -1

    async def end(self, serial: int) -> None:
        """End everything in the VM, and wait for it."""
        if running := self._running.get(serial):
            self._cut(running)
            await running.ended.wait()

    async def end_all(self) -> None:
        """End everything in every VM, side by side."""
        await asyncio.gather(*(self.end(serial) for serial in list(self._running)))

    def close(self) -> None:
        """Remove the folder, if it was made for this emulator."""
        if self._own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def vm_environment(vm: Vm, extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a VM's user data: nothing of the emulator's own comes through."""
    return {"PATH": _PATH, **extra, "XIO_EMULATOR_NODE": vm.node, "XIO_EMULATOR_ADDRESS": vm.address or ""}


def _folder(wanted: Path | None) -> Path:
    try:
        if wanted is None:
            return Path(tempfile.mkdtemp(prefix="xio-emulator-"))
        wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = wanted.resolve()
        about = folder.stat()
    except OSError as error:
        raise EmulatorError(f"the folder for VMs can't be made: {error}") from None
    if about.st_uid != os.geteuid() or about.st_mode & 0o022:
        raise EmulatorError(f"{folder}: others can write there, and scripts are run from it: chmod 700 it")
    return folder
