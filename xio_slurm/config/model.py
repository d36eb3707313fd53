"""What a configuration says, whichever of the three generations it was written in.

Memory is in MiB, volumes in GB, times in seconds. Everything that the file may leave out is filled in here, so
nothing downstream knows a default.
"""

from dataclasses import dataclass
from typing import Literal

from xio_slurm.manifest import Delegates, Mount
from xio_slurm.naming import Product

CpuVendor = Literal["amd", "intel"]


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
    state_dir: str
    log_dir: str
    slurm_bin_dir: str
    program_dir: str | None
    node_prefix: str
    max_concurrent_requests: int
    connect_timeout: float
    read_timeout: float
    resume_timeout: int
    suspend_timeout: int
    suspend_time: int
    resume_rate: int
    suspend_rate: int
    user_data_template: str | None
    vm_hook_script: str | None
    delegates: Delegates


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration. ``partition`` is the union partition, and the prefix of the pools' partitions."""

    file: str
    product: Product
    cluster: str | None
    partition: str
    availability_zone: str | None
    management_server_stack_name: str | None
    management_server_ip: str | None
    images: tuple[Image, ...]
    profiles: tuple[Profile, ...]
    pools: tuple[Pool, ...]
    controllers: Controllers
    workers: Workers
    vm_root_password_secret: str | None
    mounts: tuple[Mount, ...]
    plugin: Plugin
