"""The totals, kept in ``<state folder>/metrics.json``, and how far each file of events has been read for them.

A file is known by its first line, which has a time and the run that wrote it. So it is the same one under whatever
name, compressed or not and on whichever controller, while an inode's number is used again. Who reads holds a lock:
an event is counted once, whether ``xio sync`` or ``xio metrics`` comes first.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from xio_slurm.deadline import Deadline
from xio_slurm.desk.event_log import Event, event_files, event_of
from xio_slurm.desk.metrics.totals import Totals
from xio_slurm.errors import LedgerError, LedgerUnusable
from xio_slurm.events import FILE as EVENTS
from xio_slurm.lock_file import lock
from xio_slurm.manifest import Manifest
from xio_slurm.private_files import replace_file

FILE: Final = "metrics.json"

_VERSION: Final = 1
_LOCK_SECONDS: Final = 5.0
_DAY: Final = 24 * 3600.0
_FORGOTTEN: Final = 120 * _DAY
"""Seconds after which a file that isn't there any more is none of ours: logrotate keeps twelve weeks."""

_ALL: Final = -1
"""The position in a file that was read when it was compressed: nobody writes to it any more."""


@dataclass(slots=True)
class _Kept:
    """``read``: by file, how far, and when it was there last. ``time`` 0: nothing was kept yet."""

    totals: Totals = field(default_factory=Totals)
    read: dict[str, tuple[int, float]] = field(default_factory=dict)
    time: float = 0.0

    def positions(self) -> dict[str, int]:
        """How far each file has been read."""
        return {name: position for name, (position, _) in self.read.items()}


def totals_now(manifest: Manifest, now: float) -> tuple[Totals, tuple[str, ...]]:
    """The totals with all events up to ``now`` (seconds since 1970), and what couldn't be read or kept.

    At first the events of the files of the last day count, and no others.
    """
    path = Path(manifest.state_dir) / FILE
    problems: list[str] = []
    kept = _Kept()
    try:
        with _locked(path):
            kept = _read(path, problems)
            before = kept.positions()
            kept.totals.fold(_new_events(manifest.log_dir, kept, now, problems), manifest)
            if kept.positions() != before:
                replace_file(path, _text(kept, now).encode())
    except LedgerError as error:  # nothing is lost: the next reader begins where the last one ended
        problems.append(str(error))
    return kept.totals, tuple(problems)


def _new_events(log_dir: str, kept: _Kept, now: float, problems: list[str]) -> Iterator[Event]:
    since = (kept.time or now) - _DAY
    with ExitStack() as opened:
        for path, file in event_files(Path(log_dir) / EVENTS, since, problems, opened):
            try:
                yield from _of_file(file, kept, now)
            except (OSError, EOFError, zlib.error) as error:
                problems.append(f"{path}: can't be read to its end: {error}")
    kept.read = {name: at for name, at in kept.read.items() if now - at[1] < _FORGOTTEN}


def _of_file(file: IO[bytes], kept: _Kept, now: float) -> Iterator[Event]:
    first = file.readline()
    if not first.endswith(b"\n"):
        return
    name = hashlib.sha256(first).hexdigest()[:20]
    position, _ = kept.read.get(name, (0, 0.0))
    if position != _ALL:
        file.seek(position)
        for line in file:
            if not line.endswith(b"\n"):
                break  # it is being written
            position += len(line)
            if (event := event_of(line)) is not None:
                yield event
        if isinstance(file, gzip.GzipFile):
            position = _ALL
    kept.read[name] = (position, now)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        held = lock(path.with_suffix(".lock"), Deadline.after(_LOCK_SECONDS))
    except OSError as error:
        raise LedgerUnusable(f"{path}: can't be locked: {error.strerror}") from error
    if held is None:
        raise LedgerError(f"{path}: another program still holds the lock")
    try:
        yield
    finally:
        held.release()


def _read(path: Path, problems: list[str]) -> _Kept:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        read = {str(name): (int(at), float(when)) for name, (at, when) in document["read"].items()}
        if document["version"] == _VERSION:
            return _Kept(Totals.of(document), read, float(document["time"]))
        why = f"it is of version {document['version']}"
    except FileNotFoundError:
        return _Kept()
    except OSError as error:
        raise LedgerError(f"{path}: can't be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        why = type(error).__name__
    problems.append(f"{path}: can't be understood ({why}): the counters begin anew")
    return _Kept()


def _text(kept: _Kept, now: float) -> str:
    return json.dumps({"version": _VERSION, "time": now, "read": kept.read, **kept.totals.document()}) + "\n"
