"""Reads what the programs noted (``events.jsonl``), from the oldest file that logrotate keeps to the newest.

The files may be large, so they are read as a stream, from ``since`` on. A line that is no event, since a full disk
cut it off, is passed over.
"""

import gzip
import json
import os
import re
import stat
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from xio_slurm.errors import EventsError
from xio_slurm.events import FILE

_OLDER: Final = re.compile(re.escape(FILE) + r"[.-][0-9][0-9.-]*(\.gz)?")
"""Names of logrotate: ``events.jsonl.1``, ``events.jsonl-20260101-1767225600.gz``."""

_LONGEST: Final = 64 * 1024
"""Bytes of a line: what is longer is no event."""

_OUT_OF_ORDER: Final = 300.0
"""Seconds by which lines may be out of order: programs overlap, and two controllers have two clocks."""

_STEP: Final = 64 * 1024
"""Bytes: where to begin needs no finer search."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. ``time`` in seconds since 1970; docs/events.md says what each ``kind`` means.

    ``node`` and ``pool`` are empty where the event is about none. ``details`` has all that the line says.
    """

    time: float
    kind: str
    program: str
    run: str
    node: str
    pool: str
    details: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A detail in words; empty where the event has none of this name."""
        value = self.details.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> float | None:
        """A detail that is a number."""
        value = self.details.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def read_events(log_dir: str, since: float) -> Iterator[Event]:
    """The events from ``since`` on (seconds since 1970), about in the order of their times; none where no file is.

    Raises EventsError at the end, when all is given that can be read, where some of it can't.
    """
    problems: list[str] = []
    with ExitStack() as opened:
        for path, file in event_files(Path(log_dir) / FILE, since, problems, opened):
            try:
                yield from _events(file, since)
            except (OSError, EOFError, zlib.error) as error:  # a .gz that was cut off, a disk that fails
                problems.append(f"{path}: can't be read to its end: {error}")
    if problems:
        raise EventsError(problems[0])


def event_files(current: Path, since: float, problems: list[str], opened: ExitStack) -> list[tuple[Path, IO[bytes]]]:
    """The oldest first. The current one is opened before the others are listed: it can be rotated meanwhile."""
    newest = _opened(current, problems, opened)
    seen = {os.fstat(newest.fileno()).st_ino} if newest is not None else set()
    older: list[tuple[float, Path, IO[bytes]]] = []
    for path in _rotated(current, problems):
        if (file := _opened(path, problems, opened)) is not None:
            about = os.fstat(file.fileno())
            if about.st_ino not in seen and about.st_mtime >= since:
                older.append((about.st_mtime, path, file))
    in_order = [(path, _unpacked(path, file)) for _, path, file in sorted(older, key=lambda each: each[:2])]
    return [*in_order, *([(current, newest)] if newest is not None else [])]


def _rotated(current: Path, problems: list[str]) -> list[Path]:
    try:
        names = {path.name for path in current.parent.iterdir() if _OLDER.fullmatch(path.name)}
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(f"{current.parent}: can't be read: {error.strerror}")
        return []
    being_compressed = {f"{name}.gz" for name in names}
    return [current.with_name(name) for name in names - being_compressed]


def _unpacked(path: Path, file: IO[bytes]) -> IO[bytes]:
    return cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if path.suffix == ".gz" else file


def _opened(path: Path, problems: list[str], opened: ExitStack) -> IO[bytes] | None:
    try:
        # Nothing to wait for where the name is a pipe's.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except FileNotFoundError:
        return None
    except OSError as error:
        problems.append(f"{path}: can't be read: {error.strerror}")
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        problems.append(f"{path}: isn't a plain file, so the programs' events are lost: remove it")
        return None
    return opened.enter_context(open(descriptor, "rb"))  # noqa: PTH123  a descriptor, not a path


def _events(file: IO[bytes], since: float) -> Iterator[Event]:
    if not isinstance(file, gzip.GzipFile):
        file.seek(_beginning(file, since - _OUT_OF_ORDER))
    while line := file.readline(_LONGEST):
        event = event_of(line)
        if event is not None and event.time >= since:
            yield event


def _beginning(file: IO[bytes], since: float) -> int:
    """The offset of some line that isn't later than ``since``, found by halves: a file of a week is large."""
    low, high = 0, os.fstat(file.fileno()).st_size
    while high - low > _STEP:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline(_LONGEST)  # the rest of a line
        here = file.tell()
        event = event_of(file.readline(_LONGEST))
        if event is None or event.time >= since:
            high = middle
        else:
            low = here
    return low


def event_of(line: bytes) -> Event | None:
    """The event of a line; None for what is none."""
    try:
        known = json.loads(line)
        time, kind = float(known["time"]), str(known["event"])
        program, run, node, pool = (str(known.get(name) or "") for name in ("program", "run", "node", "pool"))
        return Event(time, kind, program, run, node, pool, known)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
