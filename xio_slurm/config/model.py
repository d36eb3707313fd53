"""What a configuration says, whichever of the three generations it was written in.

Memory is in MiB, volumes in GB, times in seconds. Everything that the file may leave out is filled in here, so
nothing downstream knows a default.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from xio_slurm.manifest import Delegates, Mount, Recovery, RootPassword, SlurmBackend, Tls
from xio_slurm.naming import Product

CpuVendor = Literal["amd", "intel"]

_ALPHANUMERIC: Final = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Image:
    """An EMS image to make from an AMI."""

    name: str
    ami: str
    volume_size: int | None


@dataclass(frozen=True, slots=True)
class Profile:
    """An EMS profile. Instance entries are ``<family or type>[:priority]``, as the EMS takes them."""

    name: str
    node_group_name: str
    cpu_vendor: CpuVendor
    max_controllers: int
    instance_types: tuple[str, ...]
    spot_fleet_types: tuple[str, ...]
    enable_hyperthreading: bool


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool of equal VMs: the EMS environment's pool, and the Slurm nodes ``<prefix><name>-1 … -<size>``."""

    name: str
    profile: str
    image: str
    size: int
    cpus: int
    min_memory: int | None
    max_memory: int
    volume_size: int
    weight: int


@dataclass(frozen=True, slots=True)
class Controllers:
    """What the controllers of every profile get instead of the template's; None keeps the template's."""

    image: str | None
    security_group_ids: tuple[str, ...]
    identity_role: str | None
    instance_type: str | None


@dataclass(frozen=True, slots=True)
class Workers:
    """The same for the workers."""

    image: str | None
    security_group_ids: tuple[str, ...]
    identity_role: str | None


@dataclass(frozen=True, slots=True)
class Plugin:
    """Our own settings, ``slurm: Xio: Plugin:``."""

    ems_url: str | None
    ems_proxy: str | None
    tls: Tls
    prefix_profiles: bool
    head_address: str | None
    state_dir: str
    log_dir: str
    slurm_bin_dir: str
    slurm_backend: SlurmBackend
    program_dir: str | None
    node_prefix: str
    max_concurrent_requests: int
    connect_timeout: float
    read_timeout: float
    resume_timeout: int
    suspend_timeout: int
    suspend_time: int
    resume_rate: int | None
    suspend_rate: int | None
    user_data_template: str | None
    vm_hook_script: str | None
    delegates: Delegates
    recovery: Recovery
    pool_boot_timeouts: Mapping[str, int]
    metrics_address: str | None
    vm_hour_prices: Mapping[str, float]
    currency: str


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration. ``partition`` is the union partition, and the prefix of the pools' partitions.

    ``region`` is the availability zone's, as far as its name tells; None: AWS's usual ways to find one.
    """

    file: str
    product: Product
    cluster: str | None
    partition: str
    availability_zone: str | None
    region: str | None
    management_server_stack_name: str | None
    management_server_ip: str | None
    images: tuple[Image, ...]
    profiles: tuple[Profile, ...]
    pools: tuple[Pool, ...]
    controllers: Controllers
    workers: Workers
    root_password: RootPassword | None
    mounts: tuple[Mount, ...]
    plugin: Plugin

    def ems_profile(self, profile: str) -> str:
        """A profile's name on the EMS: with the cluster's before it, where the file asks for that.

        The EMS takes letters and digits alone, so that is what stays of the cluster's name. Profiles that follow from
        the instance types bear it already.
        """
        if not self.plugin.prefix_profiles or self.cluster is None:
            return profile
        prefix = "".join(_ALPHANUMERIC.findall(self.cluster))
        return profile if profile in {prefix + vendor for vendor in get_args(CpuVendor)} else prefix + profile
