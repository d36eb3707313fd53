"""What to do next so that an image is of an AMI: decided from what there is alone.

The old image of a name stays until the new AMI is known to parse: it is parsed under another name first, then the two
change places. Nothing but the images themselves says how far that is, so whoever is killed and runs again goes on.
"""

from dataclasses import dataclass
from typing import Final, Literal

UNTOLD: Final = ""
"""The AMI of an image where the EMS doesn't tell it: equal to no AMI."""

NEXT_SUFFIX: Final = "-xio-next"
PREVIOUS_SUFFIX: Final = "-xio-previous"

Role = Literal["image", "next", "previous"]


@dataclass(frozen=True, slots=True)
class Names:
    """The three names that a replacement uses."""

    image: str
    next: str
    previous: str

    @classmethod
    def of(cls, image: str) -> "Names":
        """The names for an image."""
        return cls(image, image + NEXT_SUFFIX, image + PREVIOUS_SUFFIX)

    def of_role(self, role: Role) -> str:
        """The name of one of them."""
        return {"image": self.image, "next": self.next, "previous": self.previous}[role]


@dataclass(frozen=True, slots=True)
class Standing:
    """The AMI of each of the three; None where there is no such image."""

    image: str | None = None
    next: str | None = None
    previous: str | None = None

    def without(self, roles: frozenset[Role]) -> "Standing":
        """As if there were none of these: they can't be helped."""
        return Standing(
            None if "image" in roles else self.image,
            None if "next" in roles else self.next,
            None if "previous" in roles else self.previous,
        )


@dataclass(frozen=True, slots=True)
class Parse:
    """Let the EMS make the image from the AMI, under this role's name."""

    role: Role


@dataclass(frozen=True, slots=True)
class Move:
    """Rename an image; there is none of the new name."""

    source: Role
    target: Role


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete an image."""

    role: Role


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The name has an image of another AMI, and nobody said that it may be replaced."""


Action = Parse | Move | Delete | Finish | Refuse


def next_action(there: Standing, ami: str, *, replace: bool, can_rename: bool) -> Action:
    """The next step towards an image of this AMI with nothing beside it. ``can_rename``: not refuted so far."""
    if there.image == ami:
        return _cleaned(there)
    if there.image is None:
        return _filled(there, ami, replace=replace, can_rename=can_rename)
    return _replaced(there, ami, can_rename=can_rename) if replace else Refuse()


def _cleaned(there: Standing) -> Action:
    if there.next is not None:
        return Delete("next")
    return Finish() if there.previous is None else Delete("previous")


def _filled(there: Standing, ami: str, *, replace: bool, can_rename: bool) -> Action:
    if can_rename and there.next == ami:
        return Move("next", "image")
    # A replacement was broken off and is now wanted with another AMI: jobs get the old image back first.
    wanted = there.previous == ami or (replace and there.next != ami)
    if can_rename and there.previous is not None and wanted:
        return Move("previous", "image")
    return Parse("image")


def _replaced(there: Standing, ami: str, *, can_rename: bool) -> Action:
    if there.next is None:
        return Parse("next")
    if there.next != ami:
        return Delete("next")
    if not can_rename:
        return Delete("image")
    return Move("image", "previous") if there.previous is None else Delete("previous")
