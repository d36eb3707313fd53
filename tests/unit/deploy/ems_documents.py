"""An EMS in memory: its documents before a plan, and after it was carried out."""

import copy
from dataclasses import replace
from typing import Any

from xio_slurm.config.model import Config
from xio_slurm.ems.documents import Document
from xio_slurm.emulator.az1 import az1
from xio_slurm.plan.change import Change
from xio_slurm.plan.ems_observation import Observed
from xio_slurm.plan.ems_plan import EmsPlan, plan_ems
from xio_slurm.plan.environment_document import Head
from xio_slurm.plan.planning import Planning

HEAD = Head("lab", "head.example.com", "/opt/slurm/bin", "/opt/slurm/etc")
SERVERS_OWN = {"Arbiter": "cfe-v2", "Manufacturer": "intel", "MeteringList": [], "Status": "idle"}
TEMPLATE: Document = {"Id": "id-az1", **az1(), **SERVERS_OWN}
NOTHING = Observed(profiles=(TEMPLATE,), environments=(), images=(), vms=frozenset(), version=None)


def plan(config: Config, observed: Observed = NOTHING, *, adopt: bool = False, prune: bool = False) -> EmsPlan:
    """The plan of the cluster ``lab``."""
    return plan_ems(Planning(config, HEAD, observed, adopt), prune=prune)


def changes(plan: EmsPlan) -> tuple[Change, ...]:
    """All changes of a plan."""
    return (*plan.images, *plan.profiles, *([plan.environment] if plan.environment is not None else []))


def carried_out(plan: EmsPlan, observed: Observed) -> Observed:
    """What the EMS has afterwards: it gives an Id to what is new, and writes its own fields into profiles."""
    images = list(observed.images)
    for change in (each for each in plan.images if each.fields):
        images = [image for image in images if image["ImageName"] != change.name]
        images.append({"ImageName": change.name, "ImageId": change.fields[0].new})
    environments = [plan.environment] if plan.environment is not None else []
    return replace(
        observed,
        images=tuple(images),
        profiles=_after(observed.profiles, plan.profiles, "ProfileName", SERVERS_OWN),
        environments=_after(observed.environments, environments, "EnvName", {}),
    )


def environment(name: str, *pools: Document, **further: Any) -> Document:
    """An environment of some cluster."""
    return {"Id": f"id-{name}", "EnvName": name, "HeadAddress": f"{name}.example.com", "Pools": [*pools], **further}


def pool(name: str, profile: str, **further: Any) -> Document:
    """A pool of an environment."""
    vm = {"CPUs": 1, "ImageName": "rhel8", "MaxMemory": 1000, "VolumeSize": 10, "PrefixCount": 0, "UserData": ""}
    return {"PoolName": name, "PoolSize": 1, "ProfileName": profile, "VM": vm, **further}


def _after(before: tuple[Document, ...], changes: Any, name_key: str, own: Document) -> tuple[Document, ...]:
    documents = {document[name_key]: document for document in before}
    for change in changes:
        if change.document is not None:
            given = {"Id": f"id-{change.name}"} | copy.deepcopy(change.document)
            documents[change.name] = given | own
    return tuple(documents.values())
