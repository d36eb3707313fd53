"""Runs a command as the child of a small process: its time, and the memory that is its own.

Linux counts the parent's memory as the child's, from the fork to the exec. ``python -I spawned.py SECONDS COMMAND …``
prints a line of JSON; the command is ended after so many seconds.
"""

import json
import os
import signal
import sys
import time
from types import FrameType


def main(seconds: int, command: list[str]) -> None:
    """Run it, and print what it took: seconds, MiB, and its exit code."""
    nothing = os.open(os.devnull, os.O_RDWR)
    began = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, nothing, 1)])

    def end(_number: int, _frame: FrameType | None) -> None:
        os.kill(pid, signal.SIGKILL)

    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, end)
    signal.alarm(seconds)
    _, status, usage = os.wait4(pid, 0)
    took = time.perf_counter() - began
    code = os.waitstatus_to_exitcode(status)
    print(json.dumps({"seconds": took, "mebibytes": usage.ru_maxrss / 1024, "exit_code": code}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
