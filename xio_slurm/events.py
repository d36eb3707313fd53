"""What the programs did, for machines: one JSON line per thing that happened, in ``<log folder>/events.jsonl``.

A line is written with one ``write`` to a file opened for appending, so programs that overlap don't mix. Recording
never stops a program: on a full disk, or where there is no file that can be written, the line is lost and the VM is
not. docs/events.md has the kinds of events and their fields, made from ``desk/event_kinds.py``.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Final

FILE: Final = "events.jsonl"


class Events:
    """The events of one call of a program. Every line carries the program's name and the call's id.

    ``pool_of`` says the pool of a node: it is noted with each event about one.
    """

    def __init__(
        self, log_dir: str, program: str, run: str, pool_of: Callable[[str], str | None] = lambda _: None
    ) -> None:
        self._pool_of = pool_of
        self._path = Path(log_dir) / FILE
        self._program = program
        self._run = run

    @cached_property
    def _descriptor(self) -> int | None:
        # Made by the first event: a call that only looks leaves nothing, whosever it is.
        # Nothing to wait for where the name is a pipe's.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        with suppress(OSError):
            return os.open(self._path, flags, 0o640)
        return None

    def record(self, event: str, *, node: str | None = None, **details: str | int | float | None) -> None:
        """Write one line: the time in seconds since 1970, the event, and what is known of it. Never a secret."""
        if self._descriptor is None:
            return
        known = {"node": node, "pool": self._pool_of(node) if node else None, **details}
        line = {"time": round(time.time(), 3), "event": event, "program": self._program, "run": self._run}
        line |= {key: value for key, value in known.items() if value is not None}
        with suppress(OSError):
            os.write(self._descriptor, (json.dumps(line) + "\n").encode())

    def close(self) -> None:
        """Give the file back: for who lives long, and must see it rotated. The next event opens it anew."""
        descriptor = self.__dict__.pop("_descriptor", None)
        if descriptor is not None:
            os.close(descriptor)
