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
    ROLES,
    UNTOLD,
    Delete,
    Finish,
    Move,
    Names,
    Parse,
    Refuse,
    Role,
    Standing,
    Wait,
    next_action,
    takes_anothers,
)
from xio_slurm.images.stage import Stage, is_finished, stage_of
from xio_slurm.images.standing_words import (
    in_words,
    next_is_anothers,
    next_is_left,
    not_deleted,
    not_to_be_replaced,
    replaced_by_another,
)
from xio_slurm.images.steps import ImageSteps, ami_of

POLL_SECONDS: Final = 1.0

_STEPS: Final = 20
"""Steps after which somebody else changes the same images: the longest way of ours has eight."""

_LAST_LOOK: Final = 5.0
"""Seconds for the look that tells what there is after a failure."""

_WATCH: Final = 20
"""First pauses for which a stranger's image is watched: twice the longest pause of whoever follows its parse."""


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


class _Busy(ImageError):
    """Somebody else replaces the same image: what there is belongs to them."""


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
        self._poll_seconds = poll_seconds
        self._can_rename = True
        self._unmoved: list[str] = []  # which renames were refused, and why
        self._is_alone = False  # nobody else was seen to replace the image
        self._stuck: frozenset[Role] = frozenset()  # what the EMS doesn't delete
        self._gone_since: float | None = None
        self._changed = False
        self._notes: list[str] = []

    def run(self, *, replace: bool) -> Made:
        """Do one step after the other until there is none."""
        # The first look isn't patient: an EMS that doesn't answer at all is told at once.
        there = first = self._look(self._deadline)
        try:
            for _ in range(_STEPS):
                action = next_action(there, self._image.ami, replace=replace, can_rename=self._can_rename)
                if isinstance(action, Finish):
                    if there.next is not None:
                        self._notes.append(next_is_left(there, self._names))
                    return Made(self._image.name, self._image.ami, _outcome(first, self._image.ami), (*self._notes,))
                if isinstance(action, Refuse):
                    raise self._refusal(there, replace=replace)
                if not self._is_alone and takes_anothers(action, there, self._image.ami):
                    self._watch(there)
                self._do(action)
                there = self._standing(self._steps.get).without(self._stuck)
        except (EmsError, ImageError) as error:
            if not self._changed and (isinstance(error, _Busy) or (there.next, there.previous) == (None, None)):
                raise
            raise ImageError(f"{error}; {self._where_it_stands(there)}") from error
        raise ImageError(f"image {self._image.name}: somebody else changes it, too; {self._where_it_stands(there)}")

    # Steps

    def _do(self, action: Parse | Move | Delete | Wait) -> None:
        match action:
            case Wait(role):
                self._parsing.finish(self._names.of_role(role), self._deadline)
                return
            case Parse(role):
                self._parse(role)
            case Move(source, target):
                self._move(source, target)
            case Delete(role):
                self._delete(role)
        self._changed = True

    def _parse(self, role: Role) -> None:
        name = self._names.of_role(role)
        began = time.monotonic() if self._gone_since is None else self._gone_since
        try:
            self._parsing.run(replace(self._image, name=name), self._deadline)
        except ImageError:
            if role == "next" and self._is_made():
                return  # by another run, which has renamed its next image before we saw it
            raise
        self._parsed.add(name)
        if role == "image" and not self._can_rename:
            seconds = time.monotonic() - began
            self._notes += self._unmoved
            self._notes.append(f"{name} was made by a second parse: no VM could start from it for {seconds:.0f} s")

    def _move(self, source: Role, target: Role) -> None:
        old, new = self._names.of_role(source), self._names.of_role(target)
        if target in self._stuck:
            refused: str | None = f"{new} is there already"
        elif self._steps.get(new) is not None:
            return  # somebody else was there first: looked at again
        else:
            refused = self._steps.rename(old, new)
        if refused is not None:
            self._can_rename = False
            self._unmoved.append(f"{old} couldn't be renamed to {new}: {refused}")
        elif old in self._parsed:
            self._parsed = self._parsed - {old} | {new}
        else:
            self._parsed.discard(new)

    def _delete(self, role: Role) -> None:
        name = self._names.of_role(role)
        refused = self._steps.delete(name, unless_of=self._image.ami if role == "image" else None)
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
            self._notes.append(not_deleted(name, refused))

    def _watch(self, seen: Standing) -> None:
        """Let a replacement with another AMI go on that may be under way. Raises ImageError if it does."""
        until = time.monotonic() + _WATCH * self._poll_seconds
        while time.monotonic() < until:
            self._tell(f"looking whether somebody else is at {self._names.next}")
            time.sleep(min(self._poll_seconds, self._deadline.left()))
            if self._standing(self._steps.get).without(self._stuck) != seen:
                raise _Busy(replaced_by_another(seen, self._names))
            if self._deadline.passed():
                raise ImageError(f"image {self._image.name}: no time was left to see whether somebody else replaces it")
        self._is_alone = True

    # Looks

    def _standing(self, get: Callable[[str], Document | None]) -> Standing:
        amis: dict[Role, str] = {}
        stages: dict[Role, Stage] = {}
        for role in ROLES:
            name = self._names.of_role(role)
            if (found := get(name)) is not None:
                amis[role] = ami_of(found) or (self._image.ami if name in self._parsed else UNTOLD)
                stages[role] = stage_of(found)
        return Standing(
            **amis,
            under_way=frozenset(role for role, stage in stages.items() if stage == "under way"),
            failed=frozenset(role for role, stage in stages.items() if stage == "failed"),
        )

    def _look(self, deadline: Deadline) -> Standing:
        return self._standing(lambda name: self._images.get(name, deadline))

    def _is_made(self) -> bool:
        try:
            found = self._images.get(self._names.image, Deadline.after(_LAST_LOOK))
        except EmsError:
            return False
        return found is not None and ami_of(found) == self._image.ami and is_finished(found)

    def _tell(self, step: str) -> None:
        self._say(ImageProgress(self._image.name, step, time.monotonic() - self._began))

    def _refusal(self, there: Standing, *, replace: bool) -> ImageError:
        if replace:
            return _Busy(next_is_anothers(there, self._names))
        return ImageError(not_to_be_replaced(there, self._names, self._image.ami))

    def _where_it_stands(self, last: Standing) -> str:
        try:
            there = self._look(Deadline.after(_LAST_LOOK))
        except EmsError:
            return f"before, {in_words(last, self._names)}"
        return f"now {in_words(there, self._names)}"


def _outcome(first: Standing, ami: str) -> Literal["created", "replaced", "unchanged"]:
    if first.image == ami and "image" not in first.failed:
        return "created" if "image" in first.under_way else "unchanged"
    return "created" if first.image is None and first.previous is None else "replaced"
