"""Makes an image on the EMS from an AMI, or replaces the AMI of one that is there.

What comes next is decided in ``image_replacement``, from what the EMS has; here it is done, and looked at again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from xio_slurm.deadline import Deadline
from xio_slurm.ems.documents import IMAGES, Document, Documents
from xio_slurm.ems.parse_jobs import NewImage, ParseJobs
from xio_slurm.ems.transport import Transport
from xio_slurm.errors import EmsError, ImageError
from xio_slurm.images.parse_following import Parsing
from xio_slurm.images.replacement import (
    NEXT_SUFFIX,
    PREVIOUS_SUFFIX,
    UNTOLD,
    Delete,
    Finish,
    Move,
    Names,
    Parse,
    Refuse,
    Role,
    Standing,
    next_action,
)
from xio_slurm.images.steps import ImageSteps, ami_of

POLL_SECONDS: Final = 1.0

_STEPS: Final = 20
"""Steps after which somebody else changes the same images: the longest way of ours has eight."""

_LAST_LOOK: Final = 5.0
"""Seconds for the look that tells what there is after a failure."""


@dataclass(frozen=True, slots=True)
class ImageProgress:
    """What is being done for an image now. ``seconds`` since its making began."""

    name: str
    step: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Made:
    """What became of an image. ``notes`` is what a person should know, one line each."""

    name: str
    ami: str
    outcome: Literal["created", "replaced", "unchanged"]
    notes: tuple[str, ...]


class ImageMaker:
    """Makes images on one EMS. Safe to use from several threads side by side, each with an image of its own.

    ``say`` is called at every step and every look, from the thread that makes the image. ``poll_seconds`` is the
    first pause between two looks at a job; they grow to ten times that.
    """

    def __init__(
        self, transport: Transport, *, say: Callable[[ImageProgress], None], poll_seconds: float = POLL_SECONDS
    ) -> None:
        self._transport = transport
        self._say = say
        self._poll_seconds = poll_seconds

    def make(self, image: NewImage, *, replace: bool, deadline: Deadline) -> Made:
        """Make the image, or do nothing where it is there with its AMI. Another AMI's is replaced only if ``replace``.

        The old image stays until the new AMI is known to parse. Can be run again after whatever broke it off.
        Raises EmsError or ImageError; the text says what there is under which name, where anything was changed.
        """
        if image.name.endswith((NEXT_SUFFIX, PREVIOUS_SUFFIX)):
            raise ImageError(f"image {image.name}: names with {NEXT_SUFFIX} or {PREVIOUS_SUFFIX} at their end are ours")
        return _Making(self._transport, image, self._say, self._poll_seconds, deadline).run(replace=replace)


class _Making:
    """One image on its way."""

    def __init__(
        self,
        transport: Transport,
        image: NewImage,
        say: Callable[[ImageProgress], None],
        poll_seconds: float,
        deadline: Deadline,
    ) -> None:
        self._image = image
        self._names = Names.of(image.name)
        self._say = say
        self._deadline = deadline
        self._began = time.monotonic()
        self._images = Documents(transport, IMAGES)
        self._steps = ImageSteps(self._images, tell=self._tell, poll_seconds=poll_seconds, deadline=deadline)
        self._parsing = Parsing(ParseJobs(transport), self._images, tell=self._tell, poll_seconds=poll_seconds)
        self._parsed: set[str] = set()  # names of images that this run knows to be of the AMI, told or not
        self._can_rename = True
        self._stuck: frozenset[Role] = frozenset()  # what the EMS doesn't delete
        self._gone_since: float | None = None
        self._changed = False
        self._notes: list[str] = []

    def run(self, *, replace: bool) -> Made:
        # The first look isn't patient: an EMS that doesn't answer at all is told at once.
        there = first = self._look(self._deadline)
        try:
            for _ in range(_STEPS):
                action = next_action(there, self._image.ami, replace=replace, can_rename=self._can_rename)
                if isinstance(action, Finish):
                    return Made(self._image.name, self._image.ami, _outcome(first, self._image.ami), (*self._notes,))
                if isinstance(action, Refuse):
                    raise self._refusal(there)
                self._do(action)
                there = self._standing(self._steps.get).without(self._stuck)
        except (EmsError, ImageError) as error:
            if not self._changed and (there.next, there.previous) == (None, None):
                raise
            raise ImageError(f"{error}; {self._where_it_stands(there)}") from error
        raise ImageError(f"image {self._image.name}: somebody else changes it, too; {self._where_it_stands(there)}")

    # Steps

    def _do(self, action: Parse | Move | Delete) -> None:
        match action:
            case Parse(role):
                self._parse(role)
            case Move(source, target):
                self._move(self._names.of_role(source), self._names.of_role(target))
            case Delete(role):
                self._delete(role)
        self._changed = True

    def _parse(self, role: Role) -> None:
        name = self._names.of_role(role)
        began = time.monotonic() if self._gone_since is None else self._gone_since
        self._parsing.run(replace(self._image, name=name), self._deadline)
        self._parsed.add(name)
        if role == "image" and not self._can_rename:
            seconds = time.monotonic() - began
            self._notes.append(f"{name} was made by a second parse: no VM could start from it for {seconds:.0f} s")

    def _move(self, old: str, new: str) -> None:
        refused = self._steps.rename(old, new)
        if refused is not None:
            self._can_rename = False
            self._notes.append(f"{old} couldn't be renamed to {new}: {refused}")
        elif old in self._parsed:
            self._parsed = self._parsed - {old} | {new}
        else:
            self._parsed.discard(new)

    def _delete(self, role: Role) -> None:
        name = self._names.of_role(role)
        refused = self._steps.delete(name)
        if refused is None:
            self._parsed.discard(name)
            if role == "image":
                self._gone_since = time.monotonic()
        elif role == "image":
            raise ImageError(
                f"image {name} can't be replaced, since the EMS neither renames nor deletes it ({refused}): make one "
                "of another name, and give that to the pools"
            )
        else:
            self._stuck |= {role}
            self._notes.append(f"{name} is left on the EMS, which doesn't delete it: {refused}")

    # Looks

    def _standing(self, get: Callable[[str], Document | None]) -> Standing:
        def ami(name: str) -> str | None:
            found = get(name)
            if found is None:
                return None
            return ami_of(found) or (self._image.ami if name in self._parsed else UNTOLD)

        return Standing(ami(self._names.image), ami(self._names.next), ami(self._names.previous))

    def _look(self, deadline: Deadline) -> Standing:
        return self._standing(lambda name: self._images.get(name, deadline))

    def _tell(self, step: str) -> None:
        self._say(ImageProgress(self._image.name, step, time.monotonic() - self._began))

    def _refusal(self, there: Standing) -> ImageError:
        of = f"is of {there.image}" if there.image else "is there, and the EMS doesn't tell of which AMI"
        return ImageError(
            f"image {self._image.name} {of}: --replace makes it anew from {self._image.ami}, or take another name"
        )

    def _where_it_stands(self, last: Standing) -> str:
        try:
            there = self._look(Deadline.after(_LAST_LOOK))
        except EmsError:
            return f"before, {_in_words(last, self._names)}"
        return f"now {_in_words(there, self._names)}"


def _outcome(first: Standing, ami: str) -> Literal["created", "replaced", "unchanged"]:
    if first.image == ami:
        return "unchanged"
    return "created" if first.image is None and first.previous is None else "replaced"


def _in_words(there: Standing, names: Names) -> str:
    parts = [
        f"{name} is of {ami or 'an AMI that the EMS does not tell'}"
        for name, ami in ((names.image, there.image), (names.next, there.next), (names.previous, there.previous))
        if ami is not None
    ]
    if there.image is None:
        parts.insert(0, f"there is no {names.image}, and no VM can start from it until the same command has done it")
    return "; ".join(parts)
