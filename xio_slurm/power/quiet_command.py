"""Runs a command that prints a secret: what it prints is kept from everybody but the caller."""

import os
import select
import signal
import subprocess

from xio_slurm.deadline import Deadline
from xio_slurm.errors import PasswordError


def output_of(command: tuple[str, ...], deadline: Deadline, most: int) -> bytes:
    """What the command prints, at most ``most`` bytes of it. It has no shell and no input.

    Its standard error is thrown away: in the trace of a script stands every value that it handles. Raises
    PasswordError, which names the program alone.
    """
    program = command[0]
    environment = {"PATH": os.defpath, **os.environ}  # slurmctld gives hardly one
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=environment,
            process_group=0,
        )
    except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
        reason = getattr(error, "strerror", None) or "an argument holds a NUL"
        raise PasswordError(f"{program}: can't be run: {reason}: see to VmRootPasswordCommand") from None
    with process:
        try:
            output = _read(process, deadline, most)
            code = process.wait(deadline.left())
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)  # and whatever it has started
            if isinstance(error, TimeoutError | subprocess.TimeoutExpired):
                raise PasswordError(f"{program}: didn't end in its time: see to VmRootPasswordCommand") from None
            raise
    if code != 0:
        raise PasswordError(f"{program}: ended with {code}: run it as SlurmUser to see why")
    return output


def _read(process: "subprocess.Popen[bytes]", deadline: Deadline, most: int) -> bytes:
    if process.stdout is None:
        return b""
    descriptor = process.stdout.fileno()
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    output = b""
    while poll.poll(deadline.left() * 1000):
        block = os.read(descriptor, 4096)
        if not block:
            return output[:most]
        output = (output + block)[:most]  # to its end, so that it needn't be killed for being talkative
    raise TimeoutError
