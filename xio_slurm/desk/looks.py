"""Looks at many things side by side, in a time that nothing prolongs: a disk or a name server can hang long."""

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from xio_slurm.deadline import Deadline
from xio_slurm.errors import XioError


@dataclass(frozen=True, slots=True)
class Unseen:
    """What couldn't be looked at, and why in one line."""

    why: str


class NotSeenError(Exception):
    """A check needs what couldn't be looked at."""


def side_by_side(looks: Mapping[str, Callable[[], Any]], seconds: float) -> dict[str, Any]:
    """What each look saw, or Unseen: because of an XioError, or since it took too long.

    A look that hangs is left behind: its thread ends with the process. What we didn't expect is raised.
    """
    done: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def look(name: str, work: Callable[[], Any]) -> None:
        try:
            done.put((name, work()))
        except XioError as problem:
            done.put((name, Unseen(str(problem))))
        except BaseException as bug:
            done.put((name, bug))

    for name, work in looks.items():
        threading.Thread(target=look, args=(name, work), daemon=True).start()
    deadline = Deadline.after(seconds)
    seen: dict[str, Any] = {}
    while len(seen) < len(looks):
        try:
            name, result = done.get(timeout=deadline.left() or 0.001)
        except queue.Empty:
            break
        if isinstance(result, BaseException):
            raise result
        seen[name] = result
    return {name: seen.get(name, Unseen(f"no answer within {seconds:g} s")) for name in looks}
