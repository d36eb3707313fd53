"""Runs a command that prints a secret: what it prints is kept from everybody but the caller."""

import os
import select
import shutil
import signal
import stat
import subprocess
from contextlib import suppress
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.errors import PasswordError

_REAPING_SECONDS: Final = 1.0


def output_of(command: tuple[str, ...], deadline: Deadline, most: int) -> bytes:
    """What the command prints, at most ``most`` bytes of it. It has no shell and no input.

    Its standard error is thrown away: in the trace of a script stands every value that it handles. Raises
    PasswordError, which names the program alone; so it does for a program that others could change.
    """
    program = command[0]
    environment = {"PATH": os.defpath, **os.environ}  # slurmctld gives hardly one
    _must_be_safe(program, environment["PATH"])
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
    try:
        output = _read(process, deadline, most)
        code = process.wait(deadline.left())
    except BaseException as error:
        _end(process)
        if isinstance(error, TimeoutError | subprocess.TimeoutExpired):
            raise PasswordError(f"{program}: didn't end in its time: see to VmRootPasswordCommand") from None
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()
    if code != 0:
        raise PasswordError(f"{program}: ended with {code}: run it as SlurmUser to see why")
    return output


def _must_be_safe(program: str, search_path: str) -> None:
    """Raise PasswordError for a program that others could have say any password, or do anything as SlurmUser."""
    path = os.path.join("/", program) if os.sep in program else shutil.which(program, path=search_path)  # noqa: PTH118
    try:
        about = os.stat(path) if path is not None else None  # noqa: PTH116
    except (OSError, ValueError):
        return  # to run it says why
    if about is None:
        return
    if about.st_uid not in {os.geteuid(), 0}:
        raise PasswordError(f"{path}: is another user's, who could change it: chown root {path}")
    if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PasswordError(f"{path}: its mode {about.st_mode & 0o7777:04o} lets others change it: chmod go-w {path}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End it, and whatever it has started. What runs as another user by now (sudo) is left, and not waited for."""
    with suppress(PermissionError, ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_REAPING_SECONDS)


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
