"""The first process of a VM that boots by running its user data: ``python -I -S vm_init.py SCRIPT GRACE``.

It is to the VM's processes what init is to a machine's. Whatever they do (double forks, setsid, nohup), they stay
its descendants, since it is a child subreaper (prctl(2)). Standard input is the leash: the emulator holds the other
end, so it is cut when the VM is deleted and also when the emulator is killed with SIGKILL. Then every descendant
gets SIGTERM, and SIGKILL after GRACE seconds. Standard output tells the emulator ``pid N`` and ``exit N``.

Only the standard library is here, since one of these runs for each VM.
"""

import contextlib
import ctypes
import errno
import os
import select
import signal
import sys
import time
from collections.abc import Callable

_PR_SET_CHILD_SUBREAPER = 36
_LEASH = 0
_REPORT = 1
_LISTS_CHILDREN = os.access(f"/proc/self/task/{os.getpid()}/children", os.R_OK)
_HARD_END = 10.0
"""Seconds that processes get to vanish after SIGKILL; one in uninterruptible sleep may not."""


def main() -> int:
    """Run the script, look after its processes, end them all when the leash is cut."""
    script, grace = sys.argv[1], float(sys.argv[2])
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        sys.stderr.write("emulator: this system has no child subreaper: user data isn't run\n")
        return 1
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wakes)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # the wake-up pipe has it
    pid = _start(script)
    _report(f"pid {pid}")
    _look_after(pid, woken)
    end_descendants(grace)
    with contextlib.suppress(OSError):
        os.unlink(script)  # noqa: PTH108  # as in _read
    return 0


def _start(script: str) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(2, 1)
        _execute(script)
    finally:
        os._exit(126)


def _execute(script: str) -> None:
    for _ in range(50):
        try:
            os.execv(script, [script])  # noqa: S606  # running it is the purpose; there is no shell
        except OSError as error:
            if error.errno == errno.ETXTBSY:  # another thread of the emulator forked while the file was written
                time.sleep(0.02)
                continue
            reason = "it has no #! line" if error.errno == errno.ENOEXEC else error.strerror
            os.write(2, f"emulator: the user data can't be run: {reason}\n".encode())
            return


def _look_after(script_pid: int, woken: int) -> None:
    """Reap whatever ends, and tell of the script's end, until the leash is cut or a signal says to stop."""
    while True:
        readable, _, _ = select.select([_LEASH, woken], [], [])
        if woken in readable:
            numbers = set(os.read(woken, 4096))
            _reap(script_pid)
            if numbers & {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}:
                return
        if _LEASH in readable and not os.read(_LEASH, 4096):
            return


def _reap(script_pid: int = 0) -> bool:
    """Reap all that have ended; False if there is no child left."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True
        if pid == script_pid:
            _report(f"exit {os.waitstatus_to_exitcode(status)}")


def _report(line: str) -> None:
    with contextlib.suppress(OSError):  # the emulator may be gone
        os.write(_REPORT, f"{line}\n".encode())


def end_descendants(grace: float) -> None:
    """SIGTERM to each descendant, SIGKILL to those that are left after ``grace`` seconds, until there is none."""
    kill_from = time.monotonic() + grace
    give_up = kill_from + _HARD_END
    asked: set[int] = set()
    pause = 0.002
    while _reap() and time.monotonic() < give_up:
        killing = time.monotonic() >= kill_from
        for pid in _descendants():
            if killing or pid not in asked:
                asked.add(pid)
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL if killing else signal.SIGTERM)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def _descendants() -> list[int]:
    children_of = _listed_children if _LISTS_CHILDREN else _scanned_children()
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        below = children_of(waiting.pop())
        found += below
        waiting += below
    return found


def _listed_children(pid: int) -> list[int]:
    """The children of each thread, as the kernel lists them. It may miss one: the caller asks until there is none."""
    found: list[int] = []
    with contextlib.suppress(OSError):  # it ended meanwhile
        for thread in os.scandir(f"/proc/{pid}/task"):
            found += map(int, _read(f"{thread.path}/children").split())
    return found


def _scanned_children() -> Callable[[int], list[int]]:
    """The same by a look at every process, for a kernel without those lists."""
    children: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The command's name, in parentheses, can hold anything; the state and the parent follow it.
                fields = _read(f"{entry.path}/stat").rpartition(b")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    return lambda pid: children.get(pid, [])


def _read(path: str) -> bytes:
    # Not pathlib: to import it would cost each VM a tenth of its start.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        content = b""
        while block := os.read(descriptor, 65_536):
            content += block
        return content
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
