"""The keys of ``slurm: Xio:`` as pydantic models: types, ranges and spellings. What keys mean together is not theirs.

The same models make the JSON schema that editors use, and the page of all keys.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_pascal

from xio_slurm.config.key_types import (
    AbsolutePath,
    Alphanumeric,
    Count,
    Cpus,
    Currency,
    Gigabytes,
    Host,
    HostAndPort,
    InstanceEntries,
    Interval,
    LongSeconds,
    Mebibytes,
    Name,
    Patience,
    PoolSize,
    Price,
    Rate,
    Seconds,
    Weight,
    Word,
)
from xio_slurm.manifest import Recovery, SlurmBackend

_ENTRIES: Final = "`<family or type>[:priority]`; higher is preferred"

_RECOVERY: Final = Recovery()
_CLUSTER: Final = "the name of the cluster's environment on the EMS; else slurm.conf's"
_NOT_READ: Final = "ParallelCluster's own; not read here"


def _deprecated(instead: str) -> dict[str, JsonValue]:
    # Not pydantic's own "deprecated": that would warn our programs, and not the file's author.
    return {"deprecated": True, "description": instead}


class Keys(BaseModel):
    """Base of all: keys are spelled LikeThis, nothing is converted, and no key is let through unknown."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_pascal)


class ImageKeys(Keys):
    """An image to make from an AMI."""

    image_name: Word = Field(examples=["rhel8-x86"], description="its name on the EMS, as pools give it")
    image_id: Word = Field(
        examples=["ami-0123456789abcdef0"], description="the AMI to make it from; not one of ParallelCluster"
    )
    volume_size: Gigabytes | None = Field(
        default=None, description="of the AMI's root volume: that of the pools that use it, unless they say more"
    )


class ProfileBody(Keys):
    """An EMS profile under its name."""

    profile_name: Alphanumeric | None = Field(
        default=None,
        examples=["amd"],
        description="its name on the EMS; where profiles are named by their keys, the key",
    )
    node_group_name: Name | None = Field(
        default=None, description="the EMS's name for the group; else the profile's name"
    )
    cpu_vendor: Literal["amd", "intel"] | None = Field(
        default=None, description="whose CPUs all its instances have; else found from their families"
    )
    max_controllers: Count | None = Field(default=None, description="controllers at a time at most; else the section's")
    instance_types: InstanceEntries = Field(default=[], description=f"what workers may be on demand: {_ENTRIES}")
    spot_fleet_types: InstanceEntries = Field(default=[], description=f"what workers may be on spot: {_ENTRIES}")
    enable_hyperthreading: bool | None = Field(
        default=None, description="whether a core is two CPUs to the VMs; else the section's"
    )


class ProfileKeys(ProfileBody):
    """An EMS profile in a list."""

    profile_name: Alphanumeric = Field(examples=["amd"], description="its name on the EMS: letters and digits")


class PoolBody(Keys):
    """A pool under its name. Memory in MiB, the volume in GB."""

    pool_name: Name | None = Field(
        default=None, examples=["amd-32g-4c"], description="where pools are named by their keys, the key"
    )
    profile_name: Alphanumeric = Field(examples=["amd"], description="the profile that its VMs are made by")
    pool_size: PoolSize | None = Field(default=None, description="how many nodes it has; else the section's")
    cpus: Cpus = Field(alias="CPUs", examples=[4], description="of each VM, as Slurm has them, too")
    image_name: Word | None = Field(
        default=None, examples=["rhel8-x86"], description="the EMS's image of its VMs; else DefaultImageName"
    )
    min_memory: Mebibytes | None = Field(
        default=None, description="handed to the EMS as it is; at most MaxMemory, and else not given"
    )
    max_memory: Mebibytes | None = Field(
        default=None, description="of the VM; RealMemory is 2 % and 256 MiB less. This or InstanceMemory"
    )
    instance_memory: Mebibytes | None = Field(
        default=None, description="of the instance: MaxMemory follows, less what the hypervisor takes"
    )
    volume_size: Gigabytes | None = Field(
        default=None, description="of the root volume; else the image's, else DefaultVolumeSize"
    )
    weight: Weight | None = Field(
        default=None, description="Slurm fills nodes of low Weight first; else the more, the more its VMs cost"
    )


class PoolKeys(PoolBody):
    """A pool in a list."""

    pool_name: Name = Field(examples=["amd-32g-4c"], description="its nodes are `<NodePrefix><PoolName>-1` and so on")


class ControllerKeys(Keys):
    """What the controllers get instead of the template's."""

    image_id: Word | None = Field(
        default=None, examples=["ami-0123456789abcdef0"], description="the AMI of the controllers"
    )
    security_group_ids: list[Word] = Field(
        default=[], examples=[["sg-0123456789abcdef0"]], description="added to the template's"
    )
    identity_role: Word | None = Field(default=None, examples=["my-controller-role"], description="their IAM role")
    instance_type: Word | None = Field(default=None, examples=["c5.xlarge"], description="what instance each is")


class WorkerKeys(Keys):
    """The same for the workers."""

    image_id: Word | None = Field(
        default=None, examples=["ami-0123456789abcdef0"], description="the AMI of the workers"
    )
    security_group_ids: list[Word] = Field(
        default=[], examples=[["sg-0123456789abcdef0"]], description="added to the template's"
    )
    identity_role: Word | None = Field(default=None, examples=["my-worker-role"], description="their IAM role")


class PluginKeys(Keys):
    """This plugin's own settings. Times in seconds, rates in nodes a minute (0: no limit)."""

    ems_url: Word | None = Field(
        default=None,
        examples=["http://10.0.0.10:5000"],
        description="the EMS; else from ManagementServerIp or the stack",
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
        default=None,
        examples=["http://10.0.0.20:3128"],
        description="on the way to the EMS; else none, whatever the environment says",
    )
    prefix_profiles: bool = Field(
        default=False, description="put ClusterName before the profiles' names on the EMS, which other clusters share"
    )
    head_address: Host | None = Field(
        default=None,
        examples=["head_node.mycluster.pcluster"],
        description="the head node, for the EMS; else slurm.conf's SlurmctldHost",
    )
    state_dir: AbsolutePath = Field(
        default="/var/lib/xio", description="ledger and pools; storage that both of a pair of controllers see"
    )
    log_dir: AbsolutePath = Field(default="/var/log/xio", description="xio.log and events.jsonl")
    slurm_bin_dir: AbsolutePath = Field(
        default="/usr/bin", description="where Slurm's programs are; ParallelCluster: /opt/slurm/bin"
    )
    slurm_backend: SlurmBackend = Field(
        default="auto", description="what speaks to Slurm; auto: pyslurm where it is installed and fits, else scontrol"
    )
    program_dir: AbsolutePath | None = Field(
        default=None,
        examples=["/usr/local/sbin"],
        description="else where xio install put them, else this installation's",
    )
    node_prefix: Name | None = Field(
        default=None,
        examples=["xspot-vm-"],
        description="what nodes' names begin with; else xspot-vm- for Xio, xwo- for Xwo",
    )
    max_concurrent_requests: Annotated[int, Field(ge=1, le=1024)] = Field(
        default=32, description="requests that one program sends to the EMS at a time"
    )
    connect_timeout: Patience = Field(default=5, description="so long a connection to the EMS may take")
    read_timeout: Patience = Field(default=30, description="so long an answer of the EMS may take")
    resume_timeout: Seconds = Field(default=600, description="of our partitions: then Slurm gives a node up")
    suspend_timeout: Seconds = Field(default=120, description="of our partitions: by then a VM is gone")
    suspend_time: LongSeconds = Field(
        default=350, description="of our partitions: idle for so long, a node is suspended"
    )
    resume_rate: Rate | None = Field(
        default=None, examples=[100], description="of all nodes of the cluster, 0: no limit; else as slurm.conf has it"
    )
    suspend_rate: Rate | None = Field(
        default=None, examples=[100], description="of all nodes of the cluster, 0: no limit; else as slurm.conf has it"
    )
    retry_seconds: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False, json_schema_extra={"x-unit": "s"})] = (
        Field(
            default=_RECOVERY.retry_seconds,
            description="for so long a request is tried again that failed of what passes; 0: once",
        )
    )
    boot_timeout: Seconds | None = Field(
        default=None, examples=[300], description="by then a node has registered; else nine tenths of ResumeTimeout"
    )
    pool_boot_timeouts: dict[str, Seconds] = Field(
        default={}, examples=[{"amd-64-gb-8-cores": 500}], description="BootTimeout of single pools, by name"
    )
    close_seconds: Interval = Field(
        default=_RECOVERY.close_seconds,
        description="so long a pool is closed for which the EMS makes no VM; then twice as long",
    )
    longest_close_seconds: Interval = Field(
        default=_RECOVERY.longest_close_seconds, description="so long a pool is closed at most"
    )
    boot_failures: Count = Field(
        default=_RECOVERY.boot_failures,
        description="VMs in a row that never come up: the pool closes until it is opened",
    )
    failed_starts: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=_RECOVERY.failed_starts, description="so many failed starts of a job, and it is held; 0: never"
    )
    release_surplus_nodes: bool = Field(
        default=_RECOVERY.release_surplus, description="when one node of a job fails, its others are powered down, too"
    )
    orphan_grace: Interval = Field(
        default=_RECOVERY.grace, description="so long a VM of ours is unwanted before xio sync deletes it"
    )
    sync_interval: Annotated[float, Field(ge=1, le=3600, allow_inf_nan=False, json_schema_extra={"x-unit": "s"})] = (
        Field(default=_RECOVERY.sync_interval, description="from one look of xio sync to the next")
    )
    most_deletes: Count = Field(default=_RECOVERY.most_deletes, description="VMs that one look of xio sync deletes")
    metrics_address: HostAndPort | None = Field(
        default=None, examples=["127.0.0.1:9818"], description="where xio sync serves metrics; else nowhere"
    )
    vm_hour_prices: dict[str, Price] = Field(
        default={}, examples=[{"amd-64-gb-8-cores": 0.085}], description="of an hour of one VM, by pool: for xio report"
    )
    currency: Currency = Field(default="USD", description="of VmHourPrices")
    user_data_template: AbsolutePath | None = Field(
        default=None, examples=["/etc/xio/user-data.sh"], description="the VMs' boot script in place of the shipped one"
    )
    vm_hook_script: AbsolutePath | None = Field(
        default=None,
        examples=["/opt/slurm/config/bin/vm-hook.sh"],
        description="what each VM runs at boot, after its mounts: a path as the VM sees it",
    )
    vm_root_password_file: AbsolutePath | None = Field(
        default=None,
        examples=["/etc/xio/vm-root-password"],
        description="has the VMs' root password; of SlurmUser and for nobody else (0600)",
    )
    vm_root_password_command: Annotated[list[Word], Field(min_length=1, max_length=50)] | None = Field(
        default=None, examples=[["/usr/bin/pass", "xio/vm-root"]], description="prints the VMs' root password; no shell"
    )
    delegate_resume_program: AbsolutePath | None = Field(
        default=None,
        examples=["/opt/parallelcluster/scripts/slurm/slurm_resume"],
        description="the ResumeProgram of nodes that aren't ours; else the one found in slurm.conf",
    )
    delegate_suspend_program: AbsolutePath | None = Field(
        default=None,
        examples=["/opt/parallelcluster/scripts/slurm/slurm_suspend"],
        description="the SuspendProgram of nodes that aren't ours; else the one found in slurm.conf",
    )
    delegate_resume_fail_program: AbsolutePath | None = Field(
        default=None,
        examples=["/opt/parallelcluster/scripts/slurm/slurm_suspend"],
        description="the ResumeFailProgram of nodes that aren't ours; else the one found in slurm.conf",
    )


class SectionKeys(Keys):
    """``slurm: Xio:`` (or Xwo) of all three generations."""

    management_server_stack_name: Word | None = Field(
        default=None,
        examples=["exostellar-management-server"],
        description="the EMS's CloudFormation stack, in which plan and apply look its address up",
    )
    management_server_ip: Host | None = Field(default=None, description="the EMS's address; this or the stack's name")
    partition_name: Name | None = Field(
        default=None,
        examples=["xio"],
        description="the partition of all nodes, and what the pools' partitions begin with; else xio, for Xwo xwo",
    )
    availability_zone: Word | None = Field(
        default=None, examples=["us-east-2b"], description="where the EMS launches instances"
    )
    default_image_name: Word | None = Field(
        default=None, examples=["rhel8-x86"], description="the image of pools that name none"
    )
    default_volume_size: Gigabytes = Field(default=10, description="where neither pool nor image has one")
    images: list[ImageKeys] = Field(default=[], description="images that apply makes from AMIs")
    instance_types: InstanceEntries = Field(
        default=[], description=f"in place of, or beside, Profiles and Pools, which then follow from them: {_ENTRIES}"
    )
    spot_fleet_types: InstanceEntries = Field(default=[], description=f"the same for spot: {_ENTRIES}")
    max_controllers: Count = Field(default=10, description="of profiles that give none")
    pool_size: PoolSize = Field(default=10, description="of pools that give none")
    enable_hyperthreading: bool = Field(default=False, description="of profiles that don't say")
    profiles: list[ProfileKeys] | dict[str, ProfileBody] = Field(
        default=[], description="which instances workers may be: a list, or by name"
    )
    pools: list[PoolKeys] | dict[str, PoolBody] = Field(
        default=[], description="sets of equal nodes: a list, or by name"
    )
    controllers: ControllerKeys | None = Field(default=None, description="what controllers get in place of az1's")
    workers: WorkerKeys | None = Field(default=None, description="what workers get in place of az1's")
    vm_root_password_secret: Word | None = Field(
        default=None, examples=["ExostellarVmRootPassword"], description="the secret's name, never the password"
    )
    plugin: PluginKeys | None = Field(default=None, description="how this installation works")
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

    cluster_name: Name | None = Field(default=None, examples=["hpc-1"], description=_CLUSTER)


class MountKeys(Keys):
    """A file system that the VMs mount; the last three keys are ParallelCluster's and not read here."""

    dest: AbsolutePath = Field(alias="dest", examples=["/home"], description="where the VM mounts it")
    src: Word = Field(alias="src", examples=["fileserver:/home"], description="what it mounts")
    type: Word = Field(alias="type", examples=["nfs4"], description="as mount -t takes it")
    options: Word = Field(alias="options", examples=["rw,hard"], description="as mount -o takes them")
    storage_type: Word | None = Field(default=None, description=_NOT_READ)
    file_system_id: Word | None = Field(default=None, description=_NOT_READ)
    volume_id: Word | None = Field(default=None, description=_NOT_READ)


class StorageKeys(BaseModel):
    """What is read of ``slurm: storage:``."""

    extra_mounts: list[MountKeys] = Field(
        default=[], alias="ExtraMounts", description="file systems that every VM mounts at boot"
    )


class SlurmKeys(BaseModel):
    """What is read of the file."""

    cluster_name: Name | None = Field(default=None, alias="ClusterName", description=_CLUSTER)
    storage: StorageKeys | None = Field(default=None, description="of it ExtraMounts alone is read")
    xio: SectionKeys | None = Field(default=None, alias="Xio", description="the Infrastructure Optimizer")
    xwo: SectionKeys | None = Field(
        default=None, alias="Xwo", description="the Workload Optimizer: the same keys, and never both"
    )


class FileKeys(BaseModel):
    """The whole file."""

    slurm: SlurmKeys
