"""Stands for a program of ours, each call of which is killed at a place of its own as long as there are such.

``python -I calls.py FOLDER MANIFEST PROGRAM [HOSTLIST]``: slurmctld calls it for the programs, and each node gets a
call of its own. xio-sync is started again as long as it is killed. FOLDER has what came of it, a JSON line each:
``places`` where they were killed, ``ends`` how each call ended.
"""

import importlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Final

sys.dont_write_bytecode = True  # a file of SlurmUser's in somebody's checkout, and an effect
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # -I leaves it out

from tests.crash_points.killing import Places, watch  # noqa: E402
from xio_slurm.slurm.hostlist import expand  # noqa: E402

_MAINS: Final = {
    "xio-resume": ("xio_slurm.power.resume",),
    "xio-suspend": ("xio_slurm.power.suspend",),
    "xio-resume-fail": ("xio_slurm.power.resume_fail",),
    "xio-sync": ("xio_slurm.commands.main", "xio_slurm.commands.sync"),
}
"""The module of each program's main, and what that imports only later: once for all calls."""

_AT_ONCE: Final = 8
_NEVER_ASKED: Final = "-unasked-"
"""In the names of nodes whose resume is as if it was killed before it began."""


class Calls:
    """Of one program. Each is a process."""

    def __init__(self, folder: Path, manifest: str, program: str) -> None:
        self._folder = folder
        self._manifest = manifest
        self._program = program
        first, *_ = [importlib.import_module(name) for name in _MAINS[program]]
        self._main = first.main
        self._running: dict[int, str] = {}

    def of_each(self, nodes: tuple[str, ...]) -> None:
        """A call for each node, some at a time."""
        for node in nodes:
            if self._program == "xio-resume" and _NEVER_ASKED in node:
                continue
            if len(self._running) >= _AT_ONCE:
                self._wait()
            self._start(node, "--manifest", self._manifest, node)
        while self._running:
            self._wait()

    def again_and_again(self) -> None:
        """Until one ends that wasn't killed, or SIGTERM comes."""
        asked: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
        killed = True
        while killed and not asked:
            self._start("", "sync", "--manifest", self._manifest)
            killed = self._wait() == -signal.SIGKILL

    def _start(self, node: str, *arguments: str) -> None:
        pid = os.fork()
        if pid:
            self._running[pid] = node
            return
        code = 70
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            sys.argv = [self._program, *arguments]
            watch(Places(self._folder / "places", self._program))
            self._main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
        finally:
            os._exit(code)

    def _wait(self) -> int:
        """Wait for one of them; its exit code, or minus the signal that ended it."""
        pid, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        told = {"program": self._program, "node": self._running.pop(pid), "pid": pid, "code": code}
        with (self._folder / "ends").open("a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")
        return code


def main(folder: str, manifest: str, program: str, hostlist: str | None = None) -> None:
    """Stand for the program."""
    calls = Calls(Path(folder), manifest, program)
    if hostlist is None:
        calls.again_and_again()
    else:
        calls.of_each(expand(hostlist))


if __name__ == "__main__":
    main(*sys.argv[1:])
