"""What the cluster's EMS environment should be. Pure.

An environment is an open document: what isn't named here is kept, at its pools and their VMs too.
Source: what public clients of a live EMS send.
"""

import copy
from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from xio_slurm.config.model import Config, Pool
from xio_slurm.ems.documents import Document
from xio_slurm.plan.open_document import entries, part


@dataclass(frozen=True, slots=True)
class Head:
    """The head node, as the environment tells the EMS of it. ``conf_path`` is the folder of slurm.conf."""

    cluster: str
    address: str
    bin_path: str
    conf_path: str


def new_environment(config: Config, head: Head) -> Document:
    """An environment made from nothing."""
    return changed_environment({}, config, head, removed=frozenset())


def changed_environment(existing: Document, config: Config, head: Head, *, removed: Set[str]) -> Document:
    """The environment that is there, brought up to date, without the pools that are ``removed``.

    Raises DeployError for one that can't be edited.
    """
    document = copy.deepcopy(existing)
    name = document.get("EnvName")
    if not isinstance(name, str) or name.casefold() != head.cluster.casefold():  # else the EMS keeps it in its way
        document["EnvName"] = head.cluster
    document |= {"Type": "slurm", "HeadAddress": head.address}
    pools = entries(document, "Pools", [])
    pools[:] = [pool for pool in pools if pool_name(pool) not in removed]
    for wanted in config.pools:
        found = [pool for pool in pools if pool_name(pool) == wanted.name]
        if not found:
            found = [{"PoolName": wanted.name}]
            pools += found
        for pool in found:
            _edit_pool(pool, wanted, config)
    slurm = part(document, "Slurm", {})
    slurm |= {"BinPath": head.bin_path, "ConfPath": head.conf_path, "PartitionName": config.partition}
    return document


def pool_name(pool: Any) -> str | None:
    """The name of an entry of ``Pools``; None for one that is no pool."""
    name = pool.get("PoolName") if isinstance(pool, dict) else None
    return name if isinstance(name, str) else None


def _edit_pool(pool: Document, wanted: Pool, config: Config) -> None:
    pool |= {"PoolSize": wanted.size, "ProfileName": config.ems_profile(wanted.profile)}
    vm = part(pool, "VM", {"PrefixCount": 0, "UserData": ""}, f"Pools[{wanted.name}].")
    vm |= {
        "CPUs": wanted.cpus,
        "ImageName": wanted.image,
        "MaxMemory": wanted.max_memory,
        "VolumeSize": wanted.volume_size,
    }
    least = vm.get("MinMemory")
    if wanted.min_memory is not None:
        vm["MinMemory"] = wanted.min_memory
    elif isinstance(least, int) and least > wanted.max_memory:
        vm["MinMemory"] = wanted.max_memory
