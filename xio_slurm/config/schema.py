"""The keys of ``slurm: Xio:`` as pydantic models: types, ranges and spellings. What keys mean together is not theirs.

The same models make the JSON schema that editors use (``xio check --schema``).
"""

import json
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints
from pydantic.alias_generators import to_pascal

from xio_slurm.manifest import Recovery

NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
ALPHANUMERIC: Final = r"^[A-Za-z0-9]+$"
ABSOLUTE_PATH: Final = r"^/[A-Za-z0-9._+@=:,/~-]*$"
WORD: Final = r"^[!-~]+$"
HOST: Final = r"^[A-Za-z0-9]([A-Za-z0-9._:-]*[A-Za-z0-9])?$"
_PORT: Final = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
HOST_AND_PORT: Final = rf"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?):{_PORT}$"

PATTERNS: Final = {
    NAME: ("may hold letters, digits, '_', '.' and '-' only, and begins with a letter or digit", "amd-8-gb-1-cores"),
    ALPHANUMERIC: ("may hold letters and digits only: the EMS takes no others", "amd"),
    ABSOLUTE_PATH: ("must be an absolute path of letters, digits and . _ + @ = : , / ~ - only", "/var/lib/xio"),
    WORD: ("must be one word of printable ASCII, without spaces", "my-name-1"),
    HOST: ("must be an IP address or a host's name", "10.0.0.10"),
    HOST_AND_PORT: ("must be an address of this host and a port, from 1 to 65535", "127.0.0.1:9818"),
}
"""What every pattern asks for in words, and an example. Slurm, shells and the EMS read what they are for."""

MAX_POOL_SIZE: Final = 65_536
"""Slurm's limit on a range of nodes in one expression (MAX_RANGE in its hostlist.c)."""

_MAX_CPUS: Final = 4096
_MAX_MIB: Final = 64 * 1024 * 1024
_MAX_GB: Final = 65_536
_UINT16: Final = 65_533
_UINT32: Final = 4_294_967_293
"""Slurm keeps times and rates in these; the two values above each mean "infinite" and "no value"."""

Name = Annotated[str, StringConstraints(pattern=NAME, max_length=200)]
Alphanumeric = Annotated[str, StringConstraints(pattern=ALPHANUMERIC, max_length=200)]
AbsolutePath = Annotated[str, StringConstraints(pattern=ABSOLUTE_PATH, max_length=1024)]
Word = Annotated[str, StringConstraints(pattern=WORD, max_length=1024)]
Host = Annotated[str, StringConstraints(pattern=HOST, max_length=253)]
HostAndPort = Annotated[str, StringConstraints(pattern=HOST_AND_PORT, max_length=260)]

Mebibytes = Annotated[int, Field(ge=1, le=_MAX_MIB)]
Gigabytes = Annotated[int, Field(ge=1, le=_MAX_GB)]
Count = Annotated[int, Field(ge=1, le=10_000)]
PoolSize = Annotated[int, Field(ge=1, le=MAX_POOL_SIZE)]
Cpus = Annotated[int, Field(ge=1, le=_MAX_CPUS)]
Seconds = Annotated[int, Field(ge=1, le=_UINT16)]
Rate = Annotated[int, Field(ge=0, le=_UINT16)]
Patience = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
Interval = Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False)]
InstanceEntries = Annotated[
    list[Word],
    Field(max_length=500, examples=[["c6a:4", "m6a"]], description="<family or type>[:priority]; higher is preferred"),
]

_RECOVERY: Final = Recovery()


def _deprecated(instead: str) -> dict[str, JsonValue]:
    # Not pydantic's own "deprecated": that would warn our programs, and not the file's author.
    return {"deprecated": True, "description": instead}


class Keys(BaseModel):
    """Base of all: keys are spelled LikeThis, nothing is converted, and no key is let through unknown."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_pascal)


class ImageKeys(Keys):
    """An image to make from an AMI."""

    image_name: Word = Field(examples=["rhel8-x86"])
    image_id: Word = Field(examples=["ami-0123456789abcdef0"])
    volume_size: Gigabytes | None = None


class ProfileBody(Keys):
    """An EMS profile under its name."""

    profile_name: Alphanumeric | None = Field(default=None, examples=["amd"])
    node_group_name: Name | None = None
    cpu_vendor: Literal["amd", "intel"] | None = None
    max_controllers: Count | None = None
    instance_types: InstanceEntries = []
    spot_fleet_types: InstanceEntries = []
    enable_hyperthreading: bool | None = None


class ProfileKeys(ProfileBody):
    """An EMS profile in a list."""

    profile_name: Alphanumeric = Field(examples=["amd"])


class PoolBody(Keys):
    """A pool under its name. Memory in MiB, the volume in GB."""

    pool_name: Name | None = Field(default=None, examples=["amd-32g-4c"])
    profile_name: Alphanumeric = Field(examples=["amd"])
    pool_size: PoolSize | None = None
    cpus: Cpus = Field(alias="CPUs", examples=[4])
    image_name: Word | None = Field(default=None, examples=["rhel8-x86"])
    min_memory: Mebibytes | None = None
    max_memory: Mebibytes | None = Field(default=None, description="MiB of the VM; Slurm's RealMemory is less")
    instance_memory: Mebibytes | None = Field(default=None, description="MiB of the instance, MaxMemory follows")
    volume_size: Gigabytes | None = None
    weight: Annotated[int, Field(ge=1, le=_UINT32)] | None = None


class PoolKeys(PoolBody):
    """A pool in a list."""

    pool_name: Name = Field(examples=["amd-32g-4c"])


class ControllerKeys(Keys):
    """What the controllers get instead of the template's."""

    image_id: Word | None = Field(default=None, examples=["ami-0123456789abcdef0"])
    security_group_ids: list[Word] = Field(default=[], examples=[["sg-0123456789abcdef0"]])
    identity_role: Word | None = Field(default=None, examples=["my-controller-role"])
    instance_type: Word | None = Field(default=None, examples=["c5.xlarge"])


class WorkerKeys(Keys):
    """The same for the workers."""

    image_id: Word | None = Field(default=None, examples=["ami-0123456789abcdef0"])
    security_group_ids: list[Word] = Field(default=[], examples=[["sg-0123456789abcdef0"]])
    identity_role: Word | None = Field(default=None, examples=["my-worker-role"])


class PluginKeys(Keys):
    """This plugin's own settings. Times in seconds, rates in nodes a minute (0: no limit)."""

    ems_url: Word | None = Field(
        default=None, examples=["http://10.0.0.10:5000"], description="else from ManagementServerIp"
    )
    ems_ca_file: AbsolutePath | None = Field(
        default=None,
        examples=["/etc/ssl/certs/ExostellarRootCA.crt"],
        description="whose signature the EMS's certificate bears; Xwo: this example, else the system's",
    )
    ems_client_certificate: AbsolutePath | None = Field(
        default=None,
        examples=["/etc/ssl/certs/ExostellarClient.pem"],
        description="what we show the EMS, with its key; Xwo: this example, else none",
    )
    ems_client_key: AbsolutePath | None = Field(
        default=None, examples=["/etc/ssl/private/xio-client.key"], description="where the key is a file of its own"
    )
    ems_server_name: Host | None = Field(
        default=None,
        examples=["ExostellarHeadNode"],
        description="the name in the EMS's certificate; Xwo: this example, else the URL's host",
    )
    ems_proxy: Word | None = Field(
        default=None, examples=["http://10.0.0.20:3128"], description="else none, whatever the environment says"
    )
    prefix_profiles: bool = Field(
        default=False, description="put ClusterName before the profiles' names on the EMS, which other clusters share"
    )
    head_address: Host | None = Field(
        default=None, examples=["head_node.mycluster.pcluster"], description="else slurm.conf's SlurmctldHost"
    )
    state_dir: AbsolutePath = "/var/lib/xio"
    log_dir: AbsolutePath = "/var/log/xio"
    slurm_bin_dir: AbsolutePath = Field(default="/usr/bin", description="ParallelCluster: /opt/slurm/bin")
    program_dir: AbsolutePath | None = Field(
        default=None, examples=["/opt/xio/bin"], description="else the bin of this installation"
    )
    node_prefix: Name | None = Field(
        default=None, examples=["xspot-vm-"], description="xspot-vm- for Xio, xwo- for Xwo"
    )
    max_concurrent_requests: Annotated[int, Field(ge=1, le=1024)] = 32
    connect_timeout: Patience = 5
    read_timeout: Patience = 30
    resume_timeout: Seconds = 600
    suspend_timeout: Seconds = 120
    suspend_time: Annotated[int, Field(ge=1, le=_UINT32)] = 350
    resume_rate: Rate | None = Field(default=None, examples=[100], description="for all nodes of the cluster")
    suspend_rate: Rate | None = Field(default=None, examples=[100], description="for all nodes of the cluster")
    retry_seconds: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = Field(
        default=_RECOVERY.retry_seconds, description="for so long a request is tried again that failed of what passes"
    )
    boot_timeout: Seconds | None = Field(
        default=None, examples=[300], description="by then a node has registered; else nine tenths of ResumeTimeout"
    )
    pool_boot_timeouts: dict[str, Seconds] = Field(
        default={}, examples=[{"amd-64-gb-8-cores": 500}], description="the same for single pools, by name"
    )
    close_seconds: Interval = Field(
        default=_RECOVERY.close_seconds, description="a pool without capacity is closed so long, and then twice as long"
    )
    longest_close_seconds: Interval = Field(default=_RECOVERY.longest_close_seconds, description="and at most so long")
    boot_failures: Count = Field(
        default=_RECOVERY.boot_failures,
        description="VMs in a row that never come up: the pool closes until it is opened",
    )
    failed_starts: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=_RECOVERY.failed_starts, description="of a job: then it is held; 0: never"
    )
    release_surplus_nodes: bool = Field(
        default=_RECOVERY.release_surplus, description="when one node of a job fails, its others are powered down, too"
    )
    orphan_grace: Interval = Field(
        default=_RECOVERY.grace, description="so long a VM of ours is unwanted before xio sync deletes it"
    )
    sync_interval: Annotated[float, Field(ge=1, le=3600, allow_inf_nan=False)] = Field(
        default=_RECOVERY.sync_interval, description="between two looks of xio sync"
    )
    most_deletes: Count = Field(default=_RECOVERY.most_deletes, description="VMs that one look of xio sync deletes")
    metrics_address: HostAndPort | None = Field(
        default=None, examples=["127.0.0.1:9818"], description="where xio sync serves metrics; else nowhere"
    )
    user_data_template: AbsolutePath | None = Field(default=None, examples=["/etc/xio/user-data.sh"])
    vm_hook_script: AbsolutePath | None = Field(
        default=None, examples=["/opt/slurm/config/bin/vm-hook.sh"], description="a path as the VM sees it"
    )
    vm_root_password_file: AbsolutePath | None = Field(
        default=None, examples=["/etc/xio/vm-root-password"], description="of SlurmUser and for nobody else (0600)"
    )
    vm_root_password_command: Annotated[list[Word], Field(min_length=1, max_length=50)] | None = Field(
        default=None, examples=[["/usr/bin/pass", "xio/vm-root"]], description="prints the password; no shell"
    )
    delegate_resume_program: AbsolutePath | None = Field(
        default=None, examples=["/opt/parallelcluster/scripts/slurm/slurm_resume"]
    )
    delegate_suspend_program: AbsolutePath | None = Field(
        default=None, examples=["/opt/parallelcluster/scripts/slurm/slurm_suspend"]
    )
    delegate_resume_fail_program: AbsolutePath | None = Field(
        default=None, examples=["/opt/parallelcluster/scripts/slurm/slurm_suspend"]
    )


class SectionKeys(Keys):
    """``slurm: Xio:`` (or Xwo) of all three generations."""

    management_server_stack_name: Word | None = Field(default=None, examples=["exostellar-management-server"])
    management_server_ip: Host | None = None
    partition_name: Name | None = Field(default=None, examples=["xio"])
    availability_zone: Word | None = Field(default=None, examples=["us-east-2b"])
    default_image_name: Word | None = Field(default=None, examples=["rhel8-x86"])
    default_volume_size: Gigabytes = 10
    images: list[ImageKeys] = []
    instance_types: InstanceEntries = []
    spot_fleet_types: InstanceEntries = []
    max_controllers: Count = 10
    pool_size: PoolSize = 10
    enable_hyperthreading: bool = False
    profiles: list[ProfileKeys] | dict[str, ProfileBody] = []
    pools: list[PoolKeys] | dict[str, PoolBody] = []
    controllers: ControllerKeys | None = None
    workers: WorkerKeys | None = None
    vm_root_password_secret: Word | None = Field(
        default=None, examples=["ExostellarVmRootPassword"], description="the secret's name, never the password"
    )
    plugin: PluginKeys | None = None
    management_server_image_id: Word | None = Field(default=None, json_schema_extra=_deprecated("nothing reads it"))
    controller_image_id: Word | None = Field(default=None, json_schema_extra=_deprecated("now Controllers: ImageId"))
    controller_security_group_ids: list[Word] = Field(
        default=[], json_schema_extra=_deprecated("now Controllers: SecurityGroupIds")
    )
    worker_image_id: Word | None = Field(default=None, json_schema_extra=_deprecated("now Workers: ImageId"))
    worker_security_group_ids: list[Word] = Field(
        default=[], json_schema_extra=_deprecated("now Workers: SecurityGroupIds")
    )


class ClusterKeys(Keys):
    """What is read of ``slurm:`` itself."""

    cluster_name: Name | None = Field(default=None, examples=["hpc-1"])


class MountKeys(Keys):
    """A file system that the VMs mount; the last three keys are ParallelCluster's and not read here."""

    dest: AbsolutePath = Field(alias="dest", examples=["/home"])
    src: Word = Field(alias="src", examples=["fileserver:/home"])
    type: Word = Field(alias="type", examples=["nfs4"])
    options: Word = Field(alias="options", examples=["rw,hard"])
    storage_type: Word | None = None
    file_system_id: Word | None = None
    volume_id: Word | None = None


class _Storage(BaseModel):
    extra_mounts: list[MountKeys] = Field(default=[], alias="ExtraMounts")


class _Slurm(BaseModel):
    cluster_name: Name | None = Field(default=None, alias="ClusterName")
    storage: _Storage | None = None
    xio: SectionKeys | None = Field(default=None, alias="Xio")
    xwo: SectionKeys | None = Field(default=None, alias="Xwo")


class _File(BaseModel):
    slurm: _Slurm


def json_schema() -> str:
    """The JSON schema of a configuration file, for editors: the same models give the same bytes."""
    schema: dict[str, Any] = _File.model_json_schema(by_alias=True)
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_without_null(schema),
        "title": "Configuration of xio-slurm",
    }
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _is_noise(key: str, part: Any) -> bool:
    return (key == "default" and part is None) or (key == "title" and isinstance(part, str))


def _without_null(schema: Any) -> Any:
    """None stands for "not given" in the models, while a key that is given must have a value."""
    if isinstance(schema, list):
        return [_without_null(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: _without_null(part) for key, part in schema.items() if not _is_noise(key, part)}
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        del schema["anyOf"]
        schema |= choices[0]
    elif choices:
        schema["anyOf"] = choices
    return schema
