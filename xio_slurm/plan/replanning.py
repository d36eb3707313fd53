"""One document's change, planned anew on the document as it is now. Pure."""

from dataclasses import dataclass, replace

from xio_slurm.ems.documents import ENVIRONMENTS, IMAGES, PROFILES, Document, Kind
from xio_slurm.plan.change import Change
from xio_slurm.plan.environment_change import environment_change
from xio_slurm.plan.image_change import image_change
from xio_slurm.plan.planning import Planning, pools_of
from xio_slurm.plan.profile_change import profile_change
from xio_slurm.plan.profile_document import TEMPLATE


@dataclass(frozen=True, slots=True)
class Replanning:
    """What a plan was made from. ``prune`` is whether pools that are gone from the file go."""

    planning: Planning
    prune: bool

    def planned_on(self, change: Change, kind: Kind) -> Document | None:
        """The document that a change is of, as the plan saw it; None where it saw none."""
        if kind is ENVIRONMENTS:
            return self.planning.environment
        return self.planning.profile(change.name) if kind is PROFILES else self.planning.image(change.name)

    def on(self, change: Change, kind: Kind, now: Document) -> Change:
        """The change that would be planned if its document were this one."""
        config = self.planning.config
        planning = self._with(kind, now)
        if kind is ENVIRONMENTS:
            return environment_change(planning, prune=self.prune)
        if kind is IMAGES:
            image = next(each for each in config.images if each.name == change.name)
            return image_change(image, now, planning.others_with_image(image.name), adopt=planning.adopt)
        profile = next(each for each in config.profiles if config.ems_profile(each.name) == change.name)
        return profile_change(profile, planning.profile(TEMPLATE) or {}, planning)

    def held(self, change: Change, vms: frozenset[str]) -> dict[str, tuple[str, ...]]:
        """The pools that a change of the environment removes though one of these VMs may run in it, and which."""
        kept = {each["PoolName"] for each in pools_of(change.document or {})}
        gone = [each["PoolName"] for each in pools_of(self.planning.environment or {}) if each["PoolName"] not in kept]
        planning = replace(self.planning, observed=replace(self.planning.observed, vms=vms))
        return {pool: running for pool in gone if (running := planning.may_run_in(pool))}

    def _with(self, kind: Kind, now: Document) -> Planning:
        there = self.planning.observed
        if kind is PROFILES:
            there = replace(there, profiles=_instead(kind, there.profiles, now))
        elif kind is ENVIRONMENTS:
            there = replace(there, environments=_instead(kind, there.environments, now))
        else:
            there = replace(there, images=_instead(kind, there.images, now))
        return replace(self.planning, observed=there)


def _instead(kind: Kind, documents: tuple[Document, ...], now: Document) -> tuple[Document, ...]:
    return (*(each for each in documents if each[kind.name_key] != now[kind.name_key]), now)
