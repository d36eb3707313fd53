"""From a file to a checked configuration, or to everything that is wrong with it."""

from dataclasses import dataclass
from pathlib import Path

from xio_slurm.config.access import read_root_password
from xio_slurm.config.address import read_zone, region_of
from xio_slurm.config.fleet import read_fleet
from xio_slurm.config.model import Config, Pool
from xio_slurm.config.pools import build_pool, derived_pools
from xio_slurm.config.problems import Problems
from xio_slurm.config.profiles import Manned, derived_profiles, named_profiles
from xio_slurm.config.section import Section, read_section
from xio_slurm.config.settings import (
    node_prefix,
    read_controllers,
    read_images,
    read_mounts,
    read_partition,
    read_plugin,
    read_workers,
)
from xio_slurm.config.source import Source
from xio_slurm.config.unique import check_unique
from xio_slurm.errors import ConfigError, Problem


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that breaks no rule, and what its author should know all the same."""

    config: Config
    warnings: tuple[Problem, ...]


def load(path: Path) -> Loaded:
    """Read and check a configuration file of any generation.

    Raises ConfigError with all of its problems, warnings included, if one of them is an error.
    """
    source = Source.read(path)
    problems = Problems(source)
    section = read_section(source, problems)
    config = _build(source.file, section, problems) if section is not None else None
    if config is None or problems.has_error(()):
        raise ConfigError(problems.in_order())
    return Loaded(config, problems.in_order())


def _build(file: str, section: Section, problems: Problems) -> Config:
    profiles, pools = _build_pools(section, problems)
    keys = section.keys
    zone = read_zone(section, problems)
    if keys.management_server_image_id is not None:
        problems.warning((*section.path, "ManagementServerImageId"), "is read by nothing any more", "take it out")
    return Config(
        file=file,
        product=section.product,
        cluster=section.cluster,
        partition=read_partition(section, problems),
        availability_zone=zone,
        region=region_of(zone),
        management_server_stack_name=keys.management_server_stack_name,
        management_server_ip=keys.management_server_ip,
        images=read_images(section, problems),
        profiles=tuple(manned.profile for manned in profiles),
        pools=pools,
        controllers=read_controllers(section, problems),
        workers=read_workers(section, problems),
        root_password=read_root_password(section, region_of(zone), problems),
        mounts=read_mounts(section, problems),
        plugin=read_plugin(section, problems),
    )


def _build_pools(section: Section, problems: Problems) -> tuple[list[Manned], tuple[Pool, ...]]:
    keys = section.keys
    fleet = read_fleet(section.path, keys.instance_types, keys.spot_fleet_types, problems)
    named = named_profiles(section, problems)
    derived = derived_profiles(section, fleet, problems)
    entries = [*section.pools, *derived_pools(section, derived, problems)]
    check_unique("pool", [((*entry.path, "PoolName"), entry.keys.pool_name) for entry in entries], problems)
    profiles = {manned.profile.name: manned for manned in (*named, *derived)}
    built = [build_pool(entry, section, profiles, node_prefix(section), problems) for entry in entries]
    if not entries:
        _tell_no_pools(section, problems)
    return [*named, *derived], tuple(pool for pool in built if pool is not None)


def _tell_no_pools(section: Section, problems: Problems) -> None:
    keys = ("InstanceTypes", "SpotFleetTypes", "DefaultImageName", "Pools")
    if any(problems.has_error((*section.path, key)) for key in keys):
        return
    remedy = "add Pools, or InstanceTypes of at least 32 GiB from which they follow"
    problems.error((*section.path, "Pools"), "there is no pool, so there would be no node", remedy)
