"""What to do next so that an image is of an AMI: decided from what there is alone.

The old image of a name stays until the new AMI is known to parse: it is parsed under another name first, then the two
change places. Nothing but the images themselves says how far that is, so whoever is killed and runs again goes on.
"""

from dataclasses import dataclass, field, replace
from typing import Final, Literal

UNTOLD: Final = ""
"""The AMI of an image where the EMS doesn't tell it: equal to no AMI."""

NEXT_SUFFIX: Final = "-xio-next"
PREVIOUS_SUFFIX: Final = "-xio-previous"

Role = Literal["image", "next", "previous"]
ROLES: Final[tuple[Role, ...]] = ("image", "next", "previous")


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
    """The AMI of each of the three; None where there is no such image. And which of them aren't finished."""

    image: str | None = None
    next: str | None = None
    previous: str | None = None
    under_way: frozenset[Role] = field(default=frozenset(), kw_only=True)
    failed: frozenset[Role] = field(default=frozenset(), kw_only=True)

    def of_role(self, role: Role) -> str | None:
        """The AMI of one of them."""
        return {"image": self.image, "next": self.next, "previous": self.previous}[role]

    def without(self, roles: frozenset[Role]) -> "Standing":
        """As if there were none of these: they can't be helped."""
        return self._with_ami(roles, None)

    def with_failed_untold(self) -> "Standing":
        """The same, where a failed image is of no AMI that anybody wants."""
        return self._with_ami(self.failed, UNTOLD)

    def _with_ami(self, roles: frozenset[Role], ami: str | None) -> "Standing":
        return replace(
            self,
            image=ami if "image" in roles else self.image,
            next=ami if "next" in roles else self.next,
            previous=ami if "previous" in roles else self.previous,
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
class Wait:
    """Wait until an image is finished or failed whose parse somebody else began, or a run of ours before."""

    role: Role


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The name has another image, and nobody said that it may be replaced; or somebody else replaces it now."""


Action = Parse | Move | Delete | Wait | Finish | Refuse


def next_action(there: Standing, ami: str, *, replace: bool, can_rename: bool) -> Action:
    """The next step towards an image of this AMI with nothing beside it. ``can_rename``: not refuted so far."""
    there = there.with_failed_untold()
    if "image" in there.under_way:
        return Wait("image") if replace or there.image == ami else Refuse()
    if there.image == ami:
        return _cleaned(there)
    if there.image is None:
        return _filled(there, ami, replace=replace, can_rename=can_rename)
    return _replaced(there, ami, can_rename=can_rename) if replace else Refuse()


def takes_anothers(action: Action, there: Standing, ami: str) -> bool:
    """Whether a step could break a replacement with another AMI that somebody else is at: its parse has ended."""
    if there.next is None or there.next == ami or "next" in there.failed:
        return False
    return action in (Delete("next"), Move("previous", "image"))


def _cleaned(there: Standing) -> Action:
    if there.next is not None and "next" not in there.under_way:
        return Delete("next")
    return Finish() if there.previous is None else Delete("previous")


def _filled(there: Standing, ami: str, *, replace: bool, can_rename: bool) -> Action:
    if can_rename and there.next == ami:
        return Wait("next") if "next" in there.under_way else Move("next", "image")
    # A replacement was broken off and is now wanted with another AMI: jobs get the old image back first.
    wanted = there.previous == ami or (replace and there.next != ami)
    if can_rename and there.previous is not None and wanted:
        return Move("previous", "image")
    return Parse("image")


def _replaced(there: Standing, ami: str, *, can_rename: bool) -> Action:
    if there.next is None:
        return Parse("next")
    if "next" in there.under_way:
        return Wait("next") if there.next == ami else Refuse()
    if there.next != ami:
        return Delete("next")
    if not can_rename:
        return Delete("image")
    return Move("image", "previous") if there.previous is None else Delete("previous")
