"""A plan: all that would change on the EMS and in Slurm for things to be as the configuration says. Read only."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from xio_slurm.config.model import Config
from xio_slurm.deadline import Deadline
from xio_slurm.deploy.ems_location import locate
from xio_slurm.deploy.publish import read
from xio_slurm.ems.connection import connected
from xio_slurm.errors import XioError
from xio_slurm.images.replacement import NEXT_SUFFIX, PREVIOUS_SUFFIX
from xio_slurm.plain_text import listed
from xio_slurm.plan.ami_checks import with_ami_checks
from xio_slurm.plan.change import Change, Verb
from xio_slurm.plan.ems_observation import Ours, observe, own_environment
from xio_slurm.plan.ems_plan import EmsPlan, plan_ems
from xio_slurm.plan.environment_document import Head
from xio_slurm.plan.head import cluster_of, head_of, is_known
from xio_slurm.plan.planning import Planning
from xio_slurm.plan.profile_document import TEMPLATE
from xio_slurm.plan.replanning import Replanning
from xio_slurm.plan.slurm_files import SlurmFiles, plan_slurm_files

_LOOK_SECONDS: Final = 120.0
"""For all that the EMS is asked for a plan; a single request has ConnectTimeout and ReadTimeout besides."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done, and what is against it.

    ``replanning`` is what the plan was made from; it and ``ems`` are None where the EMS couldn't be looked at, and then
    ``problem`` says why in one line: such a plan isn't complete, and can't be applied.
    """

    slurm: SlurmFiles
    head: Head
    ems: EmsPlan | None
    problem: str | None
    found_warnings: tuple[str, ...] = ()
    replanning: Replanning | None = field(default=None, repr=False)

    @property
    def config(self) -> Config:
        """The configuration, with what was found for it."""
        return self.slurm.generation.config

    @property
    def ems_changes(self) -> tuple[Change, ...]:
        """The EMS's documents in the order in which they are written, unchanged ones too."""
        if self.ems is None:
            return ()
        environment = () if self.ems.environment is None else (self.ems.environment,)
        return (*self.ems.images, *self.ems.profiles, *environment)

    @property
    def changes(self) -> bool:
        """Whether there is anything to do, as far as could be looked."""
        return self.slurm.changes or any(change.verb is not Verb.UNCHANGED for change in self.ems_changes)

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why none of it is done, one line each."""
        of_the_ems = (f"{change.kind} {change.name}: {line}" for change in self.ems_changes for line in change.refusals)
        return (*of_the_ems, *self.slurm.refusals)

    @property
    def mentions(self) -> tuple[str, ...]:
        """What should be known and changes nothing, one line each."""
        notes = (f"{change.kind} {change.name}: {line}" for change in self.ems_changes for line in change.notes)
        mentions = self.ems.mentions if self.ems is not None else ()
        return (*notes, *mentions, *self.slurm.generation.delegation.notes)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could hurt, one line each."""
        return (*self.found_warnings, *self.slurm.warnings)


def make_plan(config: Config, folder: Path, conf_path: str | None, *, adopt: bool, prune: bool, asks_aws: bool) -> Plan:
    """Look at the EMS, at Slurm and at the folder's files, and plan. Writes nothing.

    ``conf_path`` None: there is no slurm.conf. ``asks_aws``: the AMIs of images that are to be made are looked at,
    too. Raises DeployError and SlurmError where nothing can be planned; an EMS that can't be looked at is the plan's
    ``problem``.
    """
    location = locate(config, read(folder))
    slurm = plan_slurm_files(location.config, folder, conf_path)
    config, conf = slurm.generation.config, slurm.generation.conf
    cluster = cluster_of(config, conf)
    head = head_of(config, cluster, conf, None)
    if location.problem is not None:
        return Plan(slurm, head, None, location.problem)
    try:
        with connected(slurm.generation.compiled.manifest) as transport:
            observed = observe(transport, ours(config, cluster), Deadline.after(_LOOK_SECONDS))
            warnings = (*location.warnings, *transport.certificate_warnings)
    except XioError as error:
        return Plan(slurm, head, None, str(error), location.warnings)
    head = head_of(config, cluster, conf, own_environment(observed.environments, cluster))
    planning = Planning(config, head, observed, adopt)
    ems = plan_ems(planning, prune=prune)
    ems = replace(ems, images=tuple(_with_leftovers(image, planning) for image in ems.images))
    if asks_aws:
        images, ami_warnings = with_ami_checks(ems.images, config, slurm.generation.compiled.manifest.pools)
        ems, warnings = replace(ems, images=images), (*warnings, *ami_warnings)
    if ems.environment is not None and not is_known(config, conf):
        ems = replace(ems, environment=_of_unknown_head(ems.environment))
    return Plan(slurm, head, ems, None, warnings, Replanning(planning, prune))


def ours(config: Config, cluster: str) -> Ours:
    """What a plan of a configuration could change on the EMS."""
    images = [name for image in config.images for name in (image.name, *_leftovers(image.name))]
    profiles = (config.ems_profile(profile.name) for profile in config.profiles)
    return Ours(frozenset({TEMPLATE, *profiles}), cluster, frozenset(images))


def _leftovers(image: str) -> tuple[str, str]:
    return f"{image}{NEXT_SUFFIX}", f"{image}{PREVIOUS_SUFFIX}"


def _with_leftovers(image: Change, planning: Planning) -> Change:
    """A replacement that was broken off near its end has left images that the maker of images takes away.

    Another cluster that uses the image could be replacing it at this moment.
    """
    left = [name for name in _leftovers(image.name) if planning.image(name) is not None]
    if image.verb is not Verb.UNCHANGED or image.notes or not left:
        return image
    if others := planning.others_with_image(image.name):
        note = (
            f"the environment {listed(others)} uses it, or may, and a replacement is on its way or was broken off:"
            f" {listed(left)} stays ('xio image delete' if nobody is at it)"
        )
        return replace(image, notes=(note,))
    note = f"a replacement was broken off, and what it left goes: {listed(left)}"
    return replace(image, verb=Verb.UPDATE, notes=(note,))


def _of_unknown_head(environment: Change) -> Change:
    if environment.verb is Verb.UNCHANGED:
        return environment
    why = "where the head node is isn't known here: add Plugin: HeadAddress, or give slurm.conf with --slurm-conf"
    return replace(environment, refusals=(*environment.refusals, why))
