"""The nodes that aren't ours go to the program that would have got them without us (ParallelCluster's).

It runs beside our work. ParallelCluster's reads SLURM_RESUME_FILE itself and sets nodes that it doesn't know DOWN, so
it gets a copy of its own that speaks of its nodes alone. How it ends is told, and touches no node of ours.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from xio_slurm.power.outcome import Done, Failed, Outcome
from xio_slurm.power.ownership import nobodys
from xio_slurm.power.program import Call
from xio_slurm.slurm.hostlist import fold
from xio_slurm.slurm.resume_file import VARIABLE

log = logging.getLogger("xio_slurm")


class Delegation:
    """A delegated program at work on the nodes that aren't ours, or the reason why there is none.

    ``wait`` gives its exit code, None where it still runs at the deadline; ``failures`` are the nodes for which nothing
    can be done, known at once, before any waiting.
    """

    def __init__(
        self,
        program: str | None = None,
        nodes: tuple[str, ...] = (),
        *,
        failures: tuple[Failed, ...] = (),
        wait: Callable[[], int | None] | None = None,
    ) -> None:
        self._program = program
        self._nodes = nodes
        self._wait = wait
        self.failures = failures

    def outcomes(self) -> tuple[Outcome, ...]:
        """Wait for the program's end, and say what became of its nodes."""
        if self._wait is None:
            return self.failures
        code = self._wait()
        if code is None:
            log.warning("%s still runs: it is left alone", self._program)
        if not code:
            return tuple(Done(node, "delegated") for node in self._nodes)
        return tuple(Failed(node, "delegate", f"{self._program} ended with {code}") for node in self._nodes)


def _started(call: Call, program: str | None, nodes: tuple[str, ...], environment: Mapping[str, str]) -> Delegation:
    if program is None:
        return Delegation(failures=nobodys(nodes))
    import subprocess  # noqa: PLC0415  most calls have nothing to delegate

    command = [program, fold(nodes), *call.further_arguments]
    try:
        # Its output goes where slurmctld lets ours go.
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment)
    except OSError as error:
        text = f"{program} can't be started: {error.strerror}"
        return Delegation(failures=tuple(Failed(node, "delegate", text) for node in nodes))
    log.info("%s is called for %s", program, fold(nodes))
    call.events.record("delegated", hostlist=fold(nodes), to=program)

    def wait() -> int | None:
        try:
            return process.wait(call.deadline.left())
        except subprocess.TimeoutExpired:
            return None

    return Delegation(program, nodes, wait=wait)


@contextmanager
def delegated(call: Call, program: str | None, nodes: tuple[str, ...]) -> Iterator[Delegation]:
    """Start the delegated program for the nodes; within, our own work goes on beside it."""
    if not nodes:
        yield Delegation()
        return
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    if call.resume_file is None:
        yield _started(call, program, nodes, environment)
        return
    # As slurmctld does it: a file in memory, so that a full disk is no matter and nothing is left behind.
    with os.fdopen(os.memfd_create("resume-file"), "w", encoding="utf-8") as file:
        file.write(call.resume_file.only(frozenset(nodes).__contains__).to_json())
        file.flush()
        environment[VARIABLE] = f"/proc/{os.getpid()}/fd/{file.fileno()}"
        yield _started(call, program, nodes, environment)
