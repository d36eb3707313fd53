"""Which VMs are ours: one small file a node, under the state folder, with lines of JSON of which the last holds.

The EMS may serve other clusters, whose nodes may be named like ours, so a VM's name proves nothing. The ledger does:
an entry is written *before* the request that makes the VM is sent, and again after the answer. The first replaces the
file as a whole, and is on the disk before the request leaves. The second is a line more, and the disk isn't waited for:
where the machine loses power, or a line is cut off, the line before it holds, which errs on the side of "this may be
ours", and the next look at the EMS says the rest.

Each node has a lock of its own beside it. Programs overlap (slurmctld doesn't wait for one before it starts the
next), also for one node; whoever holds the lock reads the entry anew and yields to a program that was called later.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from xio_slurm.deadline import Deadline
from xio_slurm.errors import LedgerError, LedgerUnusable
from xio_slurm.lock_file import lock
from xio_slurm.plain_text import one_line
from xio_slurm.private_files import append_line, read_file, replace_file

Phase = Literal["asking", "ours", "deleting", "gone", "foreign"]

_LONGEST: Final = 4096
"""Bytes of a node's file, to which lines are added."""


class Run(Struct, frozen=True):
    """One call of a program. ``called`` is its time in seconds since 1970: between two, the later call is right."""

    id: str
    called: float


class Entry(Struct, frozen=True, tag_field="version", tag=1, forbid_unknown_fields=True):
    """What is known of one node's VM.

    ``asking``: the EMS is being asked for it, or was and we don't know the answer: if it exists, it is ours.
    ``ours``: the EMS has said yes. ``deleting``: it is to be gone, and isn't seen gone yet. ``gone``: the node has no
    VM of ours. ``foreign``: a VM of this name exists which this cluster didn't make.

    ``unanswered`` stays with a node whose VM the EMS was asked for in vain: a request can be carried out late, so a VM
    that appears all the same is ours. A node without an entry was never seen to by these programs.
    """

    node: str
    pool: str
    phase: Phase
    run: Run
    asked: float
    ems_job: str | None = None
    attempts: int = 0
    unanswered: bool = False
    error: str | None = None

    def at(self, phase: Phase, run: "Run") -> "Entry":
        """The entry after this call has brought the node to another phase."""
        return replace(self, phase=phase, run=run, unanswered=self.unanswered or self.phase == "asking")


class Slot:
    """A node's place in the ledger, while its lock is held."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Entry | None:
        """The entry as it stands now, or None. Raises LedgerError for a file that can't be understood."""
        return _read(self._path)

    def write(self, entry: Entry) -> None:
        """Replace the entry; when this returns, it is on the disk. Raises LedgerError, with the old one intact."""
        replace_file(self._path, _line(entry))

    def add(self, entry: Entry) -> None:
        """Let the entry hold from now on, if the machine keeps its power: else the one before it. Raises LedgerError.

        For what may be forgotten without harm: what the EMS answered, and that a VM is to go, or is gone.
        """
        if not append_line(self._path, _line(entry), most=_LONGEST):
            self.write(entry)


class Ledger:
    """The entries and locks of all nodes, in ``<state folder>/nodes`` and ``<state folder>/locks``."""

    def __init__(self, state_dir: str) -> None:
        self._nodes = Path(state_dir) / "nodes"
        self._locks = Path(state_dir) / "locks"

    def peek(self, node: str) -> Entry | None:
        """The entry of a node whose lock isn't to be had. Raises LedgerError like ``Slot.read``."""
        return _read(self._path(node))

    def _path(self, node: str) -> Path:
        return self._nodes / f"{node}.json"

    def prepare(self) -> None:
        """Make the folders where they are missing. Raises LedgerError."""
        for folder in (self._nodes, self._locks):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise LedgerError(f"{folder}: can't be made: {error.strerror}: check StateDir and its owner") from error

    @contextmanager
    def locked(self, node: str, deadline: Deadline) -> Iterator[Slot]:
        """Hold the node's lock.

        Raises LedgerError when another holds it until the deadline, LedgerUnusable when nobody can.
        """
        try:
            held = lock(self._locks / f"{node}.lock", deadline)
        except OSError as error:
            raise LedgerUnusable(f"the lock of {node} can't be taken: {error.strerror}") from error
        if held is None:
            raise LedgerError(f"another program still holds the lock of {node}")
        try:
            yield Slot(self._path(node))
        finally:
            held.release()

    def nodes(self) -> list[str]:
        """The name of every node that has a file, readable or not. Raises LedgerError."""
        try:
            names = os.listdir(self._nodes)  # noqa: PTH208  # they can be ten thousand
        except FileNotFoundError:
            return []
        except OSError as error:
            raise LedgerError(f"{self._nodes}: can't be read: {error.strerror}") from error
        return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))

    def entries(self) -> Iterator[Entry]:
        """Every entry that can be read but those of nodes whose VM is gone, in the order of names, without locks."""
        for path in sorted(self._nodes.glob("*.json")):
            try:
                entry = _read(path)
            except LedgerError:
                continue  # whoever works on that node tells it
            if entry is not None and entry.phase != "gone":
                yield entry


def _line(entry: Entry) -> bytes:
    return msgspec.json.encode(entry) + b"\n"


def _last(text: bytes) -> Entry:
    """The last line that is whole: one that was cut off is no JSON. Raises ValueError where none is an entry."""
    *earlier, first = [line for line in reversed(text.split(b"\n")) if line] or [b""]
    for line in earlier:
        try:
            return msgspec.json.decode(line, type=Entry)
        except msgspec.ValidationError:
            raise
        except ValueError:
            continue
    return msgspec.json.decode(first, type=Entry)


def _read(path: Path) -> Entry | None:
    try:
        text = read_file(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LedgerError(f"{path}: can't be read: {error}") from error
    try:
        return _last(text)
    except (ValueError, RecursionError) as error:
        if "$.version" in str(error):
            raise LedgerError(f"{path}: was written by another version of xio-slurm") from error
        told = one_line(str(error))  # it names keys as they stand there
        raise LedgerError(f"{path}: is damaged ({told}): look at the VM in the EMS, then remove the file") from error
