"""The section's profiles: those that the file names, and those that follow from its instance types."""

import re
from dataclasses import dataclass

from xio_slurm.config import model
from xio_slurm.config.fleet import Fleet, check_spot, check_vendor, read_fleet
from xio_slurm.config.problems import Problems
from xio_slurm.config.schema import ProfileKeys
from xio_slurm.config.section import Entry, Section
from xio_slurm.config.unique import check_unique


@dataclass(frozen=True, slots=True)
class Manned:
    """A profile, and the instance types that its workers can be."""

    profile: model.Profile
    fleet: Fleet


def named_profiles(section: Section, problems: Problems) -> list[Manned]:
    """Check the profiles under ``Profiles``."""
    check_unique("profile", [((*e.path, "ProfileName"), e.keys.profile_name) for e in section.profiles], problems)
    built = (_build(entry, section, problems) for entry in section.profiles)
    return [manned for manned in built if manned is not None]


def derived_profiles(section: Section, fleet: Fleet, problems: Problems) -> list[Manned]:
    """One profile for each vendor of the top-level instance types. A profile that the file names itself wins."""
    keys = section.keys
    derived: list[Manned] = []
    for vendor in sorted(fleet.vendors()):
        # EMS profiles share one name space with those of other clusters, and names are alphanumeric.
        name = re.sub(r"[^A-Za-z0-9]", "", f"{section.cluster or ''}{vendor}")
        if name in section.profile_names:
            continue
        own = fleet.of(vendor)
        check_spot(own, section.path, problems)
        profile = _profile(name, name, vendor, keys.max_controllers, own, hyperthreading=keys.enable_hyperthreading)
        derived.append(Manned(profile, own))
    return derived


def _build(entry: Entry[ProfileKeys], section: Section, problems: Problems) -> Manned | None:
    keys, defaults = entry.keys, section.keys
    fleet = read_fleet(entry.path, keys.instance_types, keys.spot_fleet_types, problems)
    vendor = check_vendor(fleet, keys.cpu_vendor, problems)
    if not fleet.vendors():
        what = "leaves the profile without any instance type that the EMS could use"
        problems.error((*entry.path, "InstanceTypes"), what, "add x86_64 families, such as [c6a, m6a, r6a]")
    if vendor is None or problems.has_error((*entry.path, "ProfileName")):
        return None
    check_spot(fleet, entry.path, problems)
    profile = _profile(
        keys.profile_name,
        keys.node_group_name or keys.profile_name,
        vendor,
        keys.max_controllers or defaults.max_controllers,
        fleet,
        hyperthreading=_first(keys.enable_hyperthreading, defaults.enable_hyperthreading),
    )
    return Manned(profile, fleet)


def _first(own: bool | None, default: bool) -> bool:
    return default if own is None else own


def _profile(
    name: str, group: str, vendor: model.CpuVendor, controllers: int, fleet: Fleet, *, hyperthreading: bool
) -> model.Profile:
    return model.Profile(
        name=name,
        node_group_name=group,
        cpu_vendor=vendor,
        max_controllers=controllers,
        instance_types=tuple(entry.text for entry in fleet.on_demand),
        spot_fleet_types=tuple(entry.text for entry in fleet.spot),
        enable_hyperthreading=hyperthreading,
    )
