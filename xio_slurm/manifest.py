"""The manifest: everything that the programs need to know about the nodes that Slurm has loaded.

``xio generate`` writes it together with the node definitions, both or neither, so a program acts on exactly what
slurm.conf includes and never sees the YAML. It holds no secret. It is JSON.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, Self

import msgspec
from msgspec import Struct

from xio_slurm.errors import ManifestError
from xio_slurm.naming import Product, split_node_name

VERSION: Final = 1
DEFAULT_PATH: Final = "/etc/xio/manifest.json"

SlurmBackend = Literal["auto", "scontrol", "pyslurm"]
"""Through what Slurm's nodes are read and changed; auto: pyslurm where it is installed and fits."""


class Pool(Struct, frozen=True):
    """A pool as the EMS is asked for its VMs. Memory in MiB, the root volume in GB.

    ``boot_timeout``: seconds from the request for a VM until its node must have registered; 0: as for all pools.
    ``vm_hour_price``: what an hour of one VM costs; None: nobody has said.
    """

    name: str
    profile: str
    image: str
    size: int
    cpus: int
    max_memory: int
    min_memory: int | None
    volume_size: int
    boot_timeout: float = 0.0
    vm_hour_price: float | None = None


class Mount(Struct, frozen=True):
    """A file system that a VM mounts at boot: ``mount -t type -o options src dest``."""

    dest: str
    src: str
    type: str
    options: str


class Delegates(Struct, frozen=True):
    """The programs that get the nodes which aren't ours (ParallelCluster's); None where there is none."""

    resume: str | None
    suspend: str | None
    resume_fail: str | None


class Tls(Struct, frozen=True):
    """How an EMS with an https URL is trusted, and how it trusts us. Paths of PEM files.

    ``ca_file`` None: the system's certificate authorities. ``client_certificate`` None: none is shown;
    ``client_key`` None: the key stands in the certificate's file. ``server_name`` is the name that the EMS's
    certificate bears, where it isn't the URL's host: XWO's say ExostellarHeadNode whatever their address is.
    """

    ca_file: str | None
    client_certificate: str | None
    client_key: str | None
    server_name: str | None


class RootPassword(Struct, frozen=True):
    """Where the VMs' root password comes from when a VM is asked for; one of the three is given.

    ``secret`` is a name or ARN in AWS Secrets Manager, looked up in ``region`` (None: AWS's usual ways to find one);
    ``command`` prints the password. The password itself is nowhere in a manifest.
    """

    secret: str | None
    region: str | None
    file: str | None
    command: tuple[str, ...] | None


class Recovery(Struct, frozen=True):
    """What is done about starts that fail, and how patiently. Times in seconds.

    ``retry_seconds``: for how long a request is tried again that failed of something that passes.
    ``boot_timeout``: by when after the request a node must have registered; 0: nine tenths of ResumeTimeout.
    ``close_seconds`` and ``longest_close_seconds``: how long a refused pool is closed, at first and at most.
    ``boot_failures``: so many in a row close a pool until it is opened by hand.
    ``failed_starts``: after so many a job is held; 0: never.
    ``release_surplus``: the other nodes of a job that can't start are powered down with the one that failed.
    ``grace``: how long a VM must be unwanted before it is deleted, and the least time between two looks that confirm
    each other. ``sync_interval``: between two passes. ``most_deletes``: VMs that one pass deletes at most.
    """

    retry_seconds: float = 60.0
    boot_timeout: float = 0.0
    close_seconds: float = 60.0
    longest_close_seconds: float = 900.0
    boot_failures: int = 10
    failed_starts: int = 5
    release_surplus: bool = True
    grace: float = 90.0
    sync_interval: float = 15.0
    most_deletes: int = 50


class Manifest(Struct, frozen=True, dict=True, tag_field="version", tag=VERSION):
    """What ``manifest.json`` says.

    Times are in seconds. ``ems_url`` is None where the configuration names the EMS only by its CloudFormation stack
    and nobody has looked it up yet; ``management_server_stack`` is the stack that it was looked up in. ``region`` is
    AWS's, None for its usual ways to find one. ``user_data`` is the VM's boot script without the lines of the single
    node. ``metrics_address`` is where ``xio sync`` serves metrics (``host:port``), None for nowhere.
    ``currency`` is that of the pools' prices.
    ``node_definitions_digest`` is the SHA-256 of the node definitions written with it: other bytes beside it
    mean that a write was cut short.
    """

    product: Product
    cluster: str | None
    node_prefix: str
    ems_url: str | None
    connect_timeout: float
    read_timeout: float
    max_concurrent_requests: int
    state_dir: str
    log_dir: str
    slurm_bin_dir: str
    resume_timeout: int
    suspend_timeout: int
    delegates: Delegates
    mounts: tuple[Mount, ...]
    vm_hook_script: str | None
    user_data: str
    pools: tuple[Pool, ...]
    region: str | None = None
    management_server_stack: str | None = None
    ems_proxy: str | None = None
    tls: Tls | None = None
    root_password: RootPassword | None = None
    recovery: Recovery = Recovery()
    metrics_address: str | None = None
    currency: str = "USD"
    node_definitions_digest: str = ""
    slurm_backend: SlurmBackend = "auto"

    @cached_property
    def _pools_by_name(self) -> Mapping[str, Pool]:
        return {pool.name: pool for pool in self.pools}

    def boot_timeout(self, pool: str) -> float:
        """Seconds from the request for a VM until its node must have registered. Of no pool of ours: as for all."""
        own = self._pools_by_name[pool].boot_timeout if pool in self._pools_by_name else 0.0
        return own or self.recovery.boot_timeout or self.resume_timeout * 0.9

    def vm_hour_price(self, pool: str) -> float | None:
        """What an hour of one of the pool's VMs costs, where that is configured."""
        return self._pools_by_name[pool].vm_hour_price if pool in self._pools_by_name else None

    def pool_of(self, node: str) -> Pool | None:
        """The pool that a node belongs to, or None for a node that isn't ours: a prefix alone proves nothing."""
        split = split_node_name(self.node_prefix, node)
        if split is None:
            return None
        name, number = split
        pool = self._pools_by_name.get(name)
        return pool if pool is not None and number <= pool.size else None

    def pool_name(self, node: str) -> str | None:
        """The name of that pool."""
        pool = self.pool_of(node)
        return pool.name if pool is not None else None

    def to_json(self) -> str:
        """The file's text: the same manifest gives the same bytes."""
        return msgspec.json.format(msgspec.json.encode(self, order="sorted"), indent=2).decode() + "\n"

    @classmethod
    def from_json(cls, text: str, path: str) -> Self:
        """Read the file's text. ``path`` is for messages. Keys that we don't know are left alone."""
        try:
            return msgspec.json.decode(text, type=cls)
        except (ValueError, RecursionError) as error:
            what = "was written by another version of xio-slurm" if "$.version" in str(error) else "is no manifest"
            raise ManifestError(f"{path}: {what} ({error}): run 'xio generate' again") from error

    @classmethod
    def read(cls, path: str) -> Self:
        """Read a manifest from a file. Raises ManifestError with one line that says what to do."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise ManifestError(
                f"{path}: there is no manifest: 'xio apply' writes it; for one elsewhere give --manifest FILE"
                " or $XIO_MANIFEST"
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it isn't UTF-8"
            raise ManifestError(f"{path}: can't be read: {reason}") from error
        return cls.from_json(text, path)
