"""What an EMS profile should be: the template, or the profile that is there, with what the configuration says. Pure.

Fields drift between EMS versions, so a profile is an open document: everything that isn't named here is kept as it is.
Source: what public clients of a live EMS send.
"""

import copy
from typing import Any, Final

from xio_slurm.config.model import Config, Profile
from xio_slurm.ems.documents import Document
from xio_slurm.errors import DeployError
from xio_slurm.plan.open_document import entries, part, spelled

TEMPLATE: Final = "az1"
"""The profile that every deployment of an EMS has, and that others are made from."""

OWNER_TAG: Final = "xio-slurm.cluster"
"""The instance tag that bears the name of the cluster whose profile it is."""

SERVERS_OWN: Final = frozenset({"Arbiter", "Manufacturer", "MeteringList", "Status"})
"""What the EMS itself writes into a profile; clients leave it out of what they send."""

_ROLES: Final = ("IdentityRole", "IamInstanceProfile")
"""The spellings of the instance profile, today's first."""


def new_profile(template: Document, profile: Profile, config: Config, cluster: str) -> Document:
    """A copy of the template, made ours. Raises DeployError for a template that is no profile."""
    return _edited({key: value for key, value in template.items() if key != "Id"}, template, profile, config, cluster)


def changed_profile(existing: Document, template: Document, profile: Profile, config: Config, cluster: str) -> Document:
    """The profile that is there, brought up to date. Raises DeployError for one that can't be edited."""
    return _edited(existing, template, profile, config, cluster)


def without_servers_own(document: Document) -> Document:
    """The fields that clients write."""
    return {key: value for key, value in document.items() if key not in SERVERS_OWN}


def owners(document: Document) -> frozenset[str]:
    """The clusters whose profile it says to be, by its tags: one, none, or a contradiction."""
    parts = [document.get(spelled(key, document)) for key in ("Controller", "Worker")]
    lists = [each.get(spelled("InstanceTags", each)) for each in parts if isinstance(each, dict)]
    tags = [tag for tags in lists if isinstance(tags, list) for tag in tags if isinstance(tag, dict)]
    return frozenset(str(tag.get("Value")) for tag in tags if tag.get("Key") == OWNER_TAG)


def _edited(base: Document, template: Document, profile: Profile, config: Config, cluster: str) -> Document:
    document = copy.deepcopy(without_servers_own(base))
    name = config.ems_profile(profile.name)
    document["ProfileName"] = name
    document[spelled("NodeGroupName", document, template)] = config.ems_profile(profile.node_group_name)
    document[spelled("MaxControllers", document, template)] = profile.max_controllers
    controller = _part(document, "Controller", template)
    _follow(controller, "Controller", template, config.controllers.image, config.controllers.security_group_ids)
    _tag(controller, "Controller", template, {"Name": f"{config.product}-controller-{name}", OWNER_TAG: cluster})
    if config.controllers.instance_type is not None:
        of_template = _of_template(template, "Controller")
        controller[spelled("InstanceType", controller, of_template)] = config.controllers.instance_type
    _set_role(controller, "Controller", config.controllers.identity_role)
    worker = _part(document, "Worker", template)
    _follow(worker, "Worker", template, config.workers.image, config.workers.security_group_ids)
    _tag(worker, "Worker", template, {"Name": f"{config.product}-worker-{name}", OWNER_TAG: cluster})
    _set_role(worker, "Worker", config.workers.identity_role)
    for key, types in (("InstanceTypes", profile.instance_types), ("SpotFleetTypes", profile.spot_fleet_types)):
        _set_types(worker, spelled(key, worker, _of_template(template, "Worker")), types)
    xspot = part(document, spelled("Xspot", document, template), copy.deepcopy(_of_template(template, "Xspot")))
    xspot[spelled("EnableHyperthreading", xspot)] = profile.enable_hyperthreading
    return document


def _part(document: Document, key: str, template: Document) -> Document:
    return part(document, spelled(key, document, template), copy.deepcopy(_of_template(template, key)) or None)


def _of_template(template: Document, key: str) -> Document:
    value = template.get(spelled(key, template))
    return value if isinstance(value, dict) else {}


def _follow(section: Document, key: str, template: Document, image: str | None, groups: tuple[str, ...]) -> None:
    """The AMI is the configured one, else the template's, which an upgrade of the EMS changes; groups only join."""
    source = _of_template(template, key)
    wanted = source.get(spelled("ImageId", source)) if image is None else image
    if wanted is not None:
        section[spelled("ImageId", section, source)] = wanted
    of_template = source.get(spelled("SecurityGroupIds", source))
    joining = [*(of_template if isinstance(of_template, list) else ()), *groups]
    spelling = spelled("SecurityGroupIds", section, source)
    if joining or section.get(spelling) is not None:
        ids = entries(section, spelling, [], f"{key}.")
        ids += [group for group in dict.fromkeys(joining) if group not in ids]


def _tag(section: Document, key: str, template: Document, wanted: dict[str, str]) -> None:
    source = _of_template(template, key)
    of_template = source.get(spelled("InstanceTags", source))
    default: list[Any] = copy.deepcopy(of_template) if isinstance(of_template, list) else []
    tags = entries(section, spelled("InstanceTags", section, source), default, f"{key}.")
    for name, value in wanted.items():
        found = [tag for tag in tags if isinstance(tag, dict) and tag.get("Key") == name]
        for tag in found:
            tag["Value"] = value
        if not found:
            tags.append({"Key": name, "Value": value})


def _set_role(section: Document, key: str, role: str | None) -> None:
    if role is None:
        return
    spellings = dict.fromkeys(spelled(each, section) for each in _ROLES)
    for spelling in [each for each in spellings if each in section] or _ROLES[:1]:
        if not isinstance(section.get(spelling), str | None):
            raise DeployError(f"{key}.{spelling} is no text, so IdentityRole can't be set: mend it in the EMS's GUI")
        section[spelling] = role


def _set_types(worker: Document, key: str, types: tuple[str, ...]) -> None:
    """The types carry their priorities themselves: an EMS that keeps them in an order of its own says the same."""
    old = worker.get(key)
    if not (isinstance(old, list) and all(isinstance(each, str) for each in old) and sorted(old) == sorted(types)):
        worker[key] = [*types]
