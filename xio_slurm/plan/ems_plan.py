"""What the EMS should have, and what would change. Pure."""

from dataclasses import dataclass
from typing import Final

from xio_slurm.ems.documents import PROFILES
from xio_slurm.plan.change import Change, Verb
from xio_slurm.plan.ems_mentions import mentions
from xio_slurm.plan.environment_change import environment_change
from xio_slurm.plan.image_change import image_change
from xio_slurm.plan.planning import Planning
from xio_slurm.plan.profile_change import profile_change
from xio_slurm.plan.profile_document import TEMPLATE

_NO_TEMPLATE: Final = (
    "isn't on the EMS, and profiles are made from it: the deployment of the EMS failed, contact Exostellar support;"
    " nothing is made until it is there"
)


@dataclass(frozen=True, slots=True)
class EmsPlan:
    """What would change on the EMS, in the order in which it is done: images, profiles, then the environment.

    Without the template profile there is one refusal alone, and ``environment`` is None. ``mentions``, one line each:
    what is on the EMS and in no configuration, and what else should be known.
    """

    images: tuple[Change, ...]
    profiles: tuple[Change, ...]
    environment: Change | None
    mentions: tuple[str, ...]


def plan_ems(planning: Planning, *, prune: bool) -> EmsPlan:
    """Plan. Raises nothing for what is on the EMS: what can't be done is a refusal of its change.

    ``prune`` removes the pools that are gone from the file.
    """
    template = planning.profile(TEMPLATE)
    if template is None:
        refusal = Change(PROFILES.word, TEMPLATE, Verb.UNCHANGED, refusals=(_NO_TEMPLATE,))
        return EmsPlan((), (refusal,), None, mentions(planning))
    return EmsPlan(
        images=tuple(
            image_change(
                image, planning.image(image.name), planning.others_with_image(image.name), adopt=planning.adopt
            )
            for image in planning.config.images
        ),
        profiles=tuple(profile_change(profile, template, planning) for profile in planning.config.profiles),
        environment=environment_change(planning, prune=prune),
        mentions=mentions(planning),
    )
