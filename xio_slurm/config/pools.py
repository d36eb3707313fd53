"""The section's pools: those that the file names, and those that follow from its instance types."""

from collections.abc import Mapping
from typing import Final

from xio_slurm.config import model
from xio_slurm.config.families import Size
from xio_slurm.config.fleet import Fleet
from xio_slurm.config.pool_name import contradicts_cpus, contradicts_memory
from xio_slurm.config.problems import Problems
from xio_slurm.config.profiles import Manned
from xio_slurm.config.schema import PoolKeys
from xio_slurm.config.section import Entry, Section
from xio_slurm.config.sizing import default_weight, max_memory
from xio_slurm.config.validate import nearest
from xio_slurm.naming import MAX_NODE_NAME, node_name

RESERVED: Final = frozenset({"all", "default"})
"""Words that Slurm reads as something else than a node's or partition's name, in any case."""

_SMALLEST_TO_BOOT: Final = 512
"""MiB below which no system of today boots; somebody has most likely counted in GiB."""

_SMALLEST_DERIVED: Final = 32 * 1024
"""Below 32 GiB too little is left beside the hypervisor: no pool is derived."""


def derived_pools(section: Section, profiles: list[Manned], problems: Problems) -> list[Entry[PoolKeys]]:
    """A pool for each vendor, memory and number of cores among the top-level instance types.

    A pool that the file names itself wins over a derived one of the same name.
    """
    keys = section.keys
    path = (*section.path, "InstanceTypes" if keys.instance_types else "SpotFleetTypes")
    if profiles and keys.default_image_name is None:
        what = "is missing: the pools that follow from InstanceTypes need an image"
        problems.error((*section.path, "DefaultImageName"), what, "add DefaultImageName: <image>")
        return []
    taken = set(section.pool_names)
    pools: list[Entry[PoolKeys]] = []
    for manned in profiles:
        for size in _sizes(manned.fleet):
            cpus = size.vcpus if keys.enable_hyperthreading else size.cores
            name = f"{manned.profile.cpu_vendor}-{size.memory // 1024}g-{cpus}c"
            if size.memory < _SMALLEST_DERIVED or name in taken:
                continue
            taken.add(name)
            derived = {
                "PoolName": name,
                "ProfileName": manned.profile.name,
                "CPUs": cpus,
                "InstanceMemory": size.memory,
            }
            pools.append(Entry(path, PoolKeys.model_validate(derived)))
    return pools


def build_pool(
    entry: Entry[PoolKeys], section: Section, profiles: Mapping[str, Manned], prefix: str, problems: Problems
) -> model.Pool | None:
    """Check a pool and fill in what it leaves out. None if something that it must have isn't there."""
    keys, path = entry.keys, entry.path
    size = keys.pool_size or section.keys.pool_size
    _check_name(entry, node_name(prefix, keys.pool_name, size), problems)
    manned = _profile_of(entry, section, profiles, problems)
    image = keys.image_name or section.keys.default_image_name
    if image is None:
        what = "is missing, and there is no DefaultImageName for all pools"
        problems.error((*path, "ImageName"), what, "add it, such as ImageName: rhel8-x86")
    memory = _memory(entry, problems)
    if manned is None or image is None or memory is None:
        return None
    vendor = manned.profile.cpu_vendor
    weight = keys.weight or default_weight(vendor, keys.cpus, keys.instance_memory or memory)
    _check_boots(entry, memory, problems)
    _check_promise(entry, memory, manned, problems)
    _check_reach(entry, memory, manned, problems)
    return model.Pool(
        name=keys.pool_name,
        profile=keys.profile_name,
        image=image,
        size=size,
        cpus=keys.cpus,
        min_memory=keys.min_memory,
        max_memory=memory,
        volume_size=_volume(entry, image, section, problems),
        weight=weight,
    )


def check_word(path: tuple[str | int, ...], name: str, problems: Problems) -> None:
    """Refuse a name that Slurm would read as something else."""
    if name.lower() in RESERVED:
        problems.error(path, f"{name!r} means something of its own to Slurm", "choose another name")


def _check_name(entry: Entry[PoolKeys], longest: str, problems: Problems) -> None:
    path = (*entry.path, "PoolName")
    check_word(path, entry.keys.pool_name, problems)
    if len(longest) > MAX_NODE_NAME:
        what = f"node {longest!r} has {len(longest)} characters, and a host's name {MAX_NODE_NAME} at most"
        problems.error(path, what, f"shorten it by {len(longest) - MAX_NODE_NAME}")


def _profile_of(
    entry: Entry[PoolKeys], section: Section, profiles: Mapping[str, Manned], problems: Problems
) -> Manned | None:
    name = entry.keys.profile_name
    if name not in profiles and name not in section.profile_names:
        known = [*profiles, *section.profile_names]
        near = nearest(name, known)
        remedy = f"did you mean {near}?" if near else f"profiles are {', '.join(sorted(set(known))) or 'none'}"
        problems.error((*entry.path, "ProfileName"), f"there is no profile {name!r}", remedy)
    return profiles.get(name)


def _memory(entry: Entry[PoolKeys], problems: Problems) -> int | None:
    """The VM's memory in MiB."""
    keys, path = entry.keys, entry.path
    left = max_memory(keys.instance_memory) if keys.instance_memory is not None else None
    if left is not None and left < 1:
        what = f"is {keys.instance_memory} MiB, and the hypervisor needs all of that"
        problems.error((*path, "InstanceMemory"), what, "write the instance's memory in MiB: 8192 for 8 GiB")
        return None
    memory = keys.max_memory or left
    if memory is None:
        what = "is missing, and so is InstanceMemory"
        problems.error((*path, "MaxMemory"), what, "add it, the VM's memory in MiB, such as MaxMemory: 30000")
        return None
    if keys.max_memory is not None and left is not None and keys.max_memory > left:
        what = f"is {memory} MiB, and InstanceMemory leaves a guest {left}: such an instance can't hold the VM"
        problems.warning((*path, "MaxMemory"), what, f"write {left}, or take it out")
    if keys.min_memory is not None and keys.min_memory > memory:
        what = f"is {keys.min_memory} MiB, more than the {memory} of MaxMemory"
        problems.error((*path, "MinMemory"), what, f"write {memory} or less")
    return memory


def _check_boots(entry: Entry[PoolKeys], memory: int, problems: Problems) -> None:
    keys, path = entry.keys, entry.path
    if memory >= _SMALLEST_TO_BOOT:
        return
    if keys.max_memory is not None:
        what = f"is {memory} MiB: too little to boot; memory is in MiB"
        problems.warning((*path, "MaxMemory"), what, f"{memory} GiB is {memory * 1024}")
    else:
        what = f"is {keys.instance_memory} MiB, which leaves a guest {memory}: too little to boot"
        problems.warning((*path, "InstanceMemory"), what, "name a larger instance's memory, such as 8192")


def _check_promise(entry: Entry[PoolKeys], memory: int, manned: Manned, problems: Problems) -> None:
    keys, path = entry.keys, entry.path
    if problems.has_error((*path, "PoolName")):
        return  # the name is not the author's
    cores = contradicts_cpus(keys.pool_name, keys.cpus, hyperthreading=manned.profile.enable_hyperthreading)
    if cores is not None:
        what = f"is {keys.cpus}, while the name {keys.pool_name!r} speaks of {cores}"
        problems.warning((*path, "CPUs"), what, f"write CPUs: {cores}, or choose another name")
    if memory < _SMALLEST_TO_BOOT:
        return  # told already
    gigabytes = contradicts_memory(keys.pool_name, keys.instance_memory, memory)
    if gigabytes is not None:
        key = "MaxMemory" if keys.instance_memory is None else "InstanceMemory"
        what = f"is {keys.instance_memory or memory} MiB, while the name {keys.pool_name!r} speaks of {gigabytes} GB"
        problems.warning((*path, key), what, f"write about {gigabytes * 1024}, or choose another name")


def _check_reach(entry: Entry[PoolKeys], memory: int, manned: Manned, problems: Problems) -> None:
    """Tell a node that no instance type of its profile could hold."""
    profile, sizes = manned.profile, manned.fleet.sizes()
    if not sizes:
        return
    threads = profile.enable_hyperthreading
    large = [size for size in sizes if (size.vcpus if threads else size.cores) >= entry.keys.cpus]
    if not large:
        what = f"is {entry.keys.cpus}, more than any instance type of profile {profile.name!r} has"
        problems.warning((*entry.path, "CPUs"), what, "write fewer, or add larger types to the profile")
        return
    reach = max(max_memory(size.memory) for size in large)
    if memory > reach:
        key = "MaxMemory" if entry.keys.max_memory is not None else "InstanceMemory"
        what = f"makes VMs of {memory} MiB, and the largest type of profile {profile.name!r} leaves a guest {reach}"
        problems.warning((*entry.path, key), what, f"keep it at {reach} or less")


def _volume(entry: Entry[PoolKeys], image: str, section: Section, problems: Problems) -> int:
    """The root volume in GB: the pool's, else its image's, else the default."""
    images = {image.keys.image_name: image.keys.volume_size for image in section.images}
    needed = images.get(image)
    own = entry.keys.volume_size
    if own is not None and needed is not None and own < needed:
        what = f"is {own} GB, and image {image!r} needs {needed}"
        problems.warning((*entry.path, "VolumeSize"), what, f"write {needed} or more")
    return own or needed or section.keys.default_volume_size


def _sizes(fleet: Fleet) -> list[Size]:
    found = {size for entry in (*fleet.on_demand, *fleet.spot) for size in entry.sizes}
    return sorted(found, key=lambda size: (size.memory, size.cores, size.vcpus))
