"""What a plan would do to one thing: to a document of the EMS, or to what Slurm reads."""

from dataclasses import dataclass, field
from enum import Enum

from xio_slurm.ems.documents import Document


class Verb(Enum):
    """What becomes of a thing."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    """Made anew under the same name: an image of another AMI."""
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value that changes, as texts for people, secrets masked; None: it isn't there before, or after.

    ``path`` is dotted (``Worker.SubnetId``, ``Pools[amd-8-gb-1-cores].VM.CPUs``). Of a plain list there are two at
    most, both with ``[]`` at the end of their path: the entries that go (``new`` None), and those that come
    (``old`` None).
    """

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing, and what becomes of it.

    ``kind`` is its word: ``profile``, ``environment``, ``image`` … ``notes`` say what should be known. ``refusals``
    say what isn't done of it, each with a way out; ``notes`` and ``refusals`` are one line each, without the thing's
    name. ``document`` is what is sent, and None where nothing is: it is unchanged, refused as a whole, or not made by
    sending a document. It may hold secrets of the site, so it is no part of the repr. ``is_sure``: what is there could
    be told; else that it is unchanged only says that nothing is done.
    """

    kind: str
    name: str
    verb: Verb
    fields: tuple[FieldChange, ...] = ()
    notes: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    document: Document | None = field(default=None, repr=False)
    is_sure: bool = True
