"""What is to be done about each file, by what is wanted, what the record says and what is there. Pure."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from xio_slurm.deploy.installation.record import Installed, Put
from xio_slurm.deploy.installation.wanted import File, Installation


class Action(Enum):
    """The word for people, and what it means."""

    CREATE = "new"
    REPLACE = "replaces what is there, which is kept"
    UPDATE = "changed"
    SAME = "as it should be"
    EDITED = "was edited since it was installed: left as it is"
    RESTORE = "as it was before"
    REMOVE = "removed"
    GONE = "is gone already"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is at a path: ``content`` as in ``Put.before``, and the mode; ``plain`` for a file of root's alone."""

    content: str | None
    mode: int = 0
    plain: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """An action on a path. ``file`` is what is put there, if anything is."""

    action: Action
    path: str
    file: File | None = None


Look = Callable[[str], Seen]


def digest(content: bytes) -> str:
    """How contents are compared."""
    return hashlib.sha256(content).hexdigest()


def installing(installation: Installation, record: Installed | None, look: Look) -> tuple[Change, ...]:
    """What makes the machine have the installation."""
    puts = record.puts if record is not None else {}
    changes = [Change(_put(file, puts.get(file.path), look(file.path)), file.path, file) for file in installation.files]
    known = {file.path for file in installation.files} | {*installation.by_apply}
    return (*changes, *(_taken_away(put, look(put.path)) for put in puts.values() if put.path not in known))


def uninstalling(record: Installed, look: Look) -> tuple[Change, ...]:
    """What makes the machine be as it was before."""
    return tuple(_taken_away(put, look(put.path)) for put in record.files)


def outdated(changes: tuple[Change, ...], record: Installed | None) -> bool:
    """Whether another installation than the recorded one is wanted: that is an upgrade."""
    puts = record.puts if record is not None else {}
    wanted = {change.path: change.file for change in changes}
    return any(
        (file := wanted.get(path)) is None or digest(file.content) != put.ours
        for path, put in puts.items()
        if path in wanted
    )


def _put(file: File, put: Put | None, seen: Seen) -> Action:
    content = digest(file.content)
    if seen.content is None:
        return Action.CREATE
    if put is None or (seen.content == put.before and put.before not in {put.ours, content}):
        return Action.REPLACE
    if seen.content == content:
        return Action.SAME if seen.mode == file.mode and seen.plain else Action.UPDATE
    return Action.UPDATE if seen.content == put.ours else Action.EDITED


def _taken_away(put: Put, seen: Seen) -> Change:
    if seen.content == put.before:
        return Change(Action.GONE if put.before is None else Action.SAME, put.path)
    if put.ours is not None and seen.content not in {None, put.ours}:
        return Change(Action.EDITED, put.path)
    return Change(Action.REMOVE if put.before is None else Action.RESTORE, put.path)


def done(changes: tuple[Change, ...]) -> Iterator[Change]:
    """Those that change anything."""
    return (change for change in changes if change.action not in {Action.SAME, Action.GONE, Action.EDITED})
