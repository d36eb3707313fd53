"""What there is under an image's three names, in words. Pure."""

from xio_slurm.images.replacement import ROLES, Names, Role, Standing
from xio_slurm.plain_text import listed


def in_words(there: Standing, names: Names) -> str:
    """Which of the images there are, of which AMIs."""
    parts = [
        f"{names.of_role(role)} is of {_ami(ami)}{_stage(role, there)}"
        for role in ROLES
        if (ami := there.of_role(role)) is not None
    ]
    if there.image is None:
        parts.insert(0, f"there is no {names.image}, and no VM can start from it until the same command has done it")
    return "; ".join(parts)


def not_to_be_replaced(there: Standing, names: Names, ami: str) -> str:
    """Why nothing is done where nobody said that the image may be replaced."""
    of = f"is of {_ami(there.image)}" if there.image else "is there, and the EMS doesn't tell of which AMI"
    if "image" in there.failed:
        of = "is there, and its parse has failed"
    return f"image {names.image} {of}: --replace makes it anew from {ami}, or take another name"


def next_is_anothers(there: Standing, names: Names) -> str:
    """Why nothing is done where the next image is being parsed from another AMI."""
    return (
        f"image {names.image}: {names.next} is being parsed from {_ami(there.next)}: somebody else replaces it now, so "
        f"wait until that has ended; if nobody does, 'xio image delete {names.next}' clears it"
    )


def replaced_by_another(there: Standing, names: Names) -> str:
    """Why nothing is done where what there is changes without us."""
    return (
        f"image {names.image}: somebody else replaces it with {_ami(there.next)} now: wait until that has ended, then "
        "run the same command again if it is still wanted"
    )


def next_is_left(there: Standing, names: Names) -> str:
    """What is told where the image is as it should be, and the next one is being parsed all the same."""
    return (
        f"{names.next} is being parsed from {_ami(there.next)}, and left: somebody else replaces {names.image}; if "
        f"nobody does, this clears it: xio image delete {names.next}"
    )


def not_deleted(name: str, why: str) -> str:
    """What is told of an image that should be gone."""
    return (
        f"{name} is left on the EMS, which doesn't delete it: {why}; when nothing uses it any more, "
        f"this does: xio image delete {name}"
    )


def _ami(told: str | None) -> str:
    return listed([told]) if told else "an AMI that the EMS does not tell"


def _stage(role: Role, there: Standing) -> str:
    return ", being parsed" if role in there.under_way else ", failed" if role in there.failed else ""
