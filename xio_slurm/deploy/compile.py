"""Config → Manifest and node definitions: all that run time and Slurm will know of a configuration."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xio_slurm.config.model import Config
from xio_slurm.deploy.node_definitions import render
from xio_slurm.deploy.programs import Programs
from xio_slurm.errors import DeployError
from xio_slurm.manifest import Manifest, Pool
from xio_slurm.shipped import shipped
from xio_slurm.small_file import read_small_text

USER_DATA_TEMPLATE: Final = "user-data.sh"

MAX_USER_DATA: Final = 262_144
"""Largest template, in bytes. The EMS's own limit is not known; this one only catches a file given by mistake."""

_SECRET: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")
_PASSWORD_HASH: Final = re.compile(r"\$(?:1|5|6|y|2[aby])\$[./0-9A-Za-z=]+\$[./0-9A-Za-z$]{22,}")


@dataclass(frozen=True, slots=True)
class Compiled:
    """What ``xio generate`` writes."""

    manifest: Manifest
    node_definitions: str


def compile_config(config: Config, programs: Programs, user_data: str) -> Compiled:
    """Both files' content; pure. Raises DeployError for names or programs that Slurm would refuse."""
    node_definitions = render(config, programs)
    plugin = config.plugin
    url = plugin.ems_url
    manifest = Manifest(
        product=config.product,
        cluster=config.cluster,
        node_prefix=plugin.node_prefix,
        ems_url=url,
        connect_timeout=plugin.connect_timeout,
        read_timeout=plugin.read_timeout,
        max_concurrent_requests=plugin.max_concurrent_requests,
        state_dir=plugin.state_dir,
        log_dir=plugin.log_dir,
        slurm_bin_dir=plugin.slurm_bin_dir,
        slurm_backend=plugin.slurm_backend,
        resume_timeout=plugin.resume_timeout,
        suspend_timeout=plugin.suspend_timeout,
        delegates=plugin.delegates,
        mounts=config.mounts,
        vm_hook_script=plugin.vm_hook_script,
        user_data=user_data,
        pools=tuple(
            Pool(
                name=pool.name,
                profile=config.ems_profile(pool.profile),
                image=pool.image,
                size=pool.size,
                cpus=pool.cpus,
                max_memory=pool.max_memory,
                min_memory=pool.min_memory,
                volume_size=pool.volume_size,
                boot_timeout=float(plugin.pool_boot_timeouts.get(pool.name, 0)),
                vm_hour_price=plugin.vm_hour_prices.get(pool.name),
            )
            for pool in config.pools
        ),
        region=config.region,
        management_server_stack=config.management_server_stack_name,
        ems_proxy=plugin.ems_proxy,
        tls=plugin.tls if url is not None and url.startswith("https:") else None,
        root_password=config.root_password,
        recovery=plugin.recovery,
        metrics_address=plugin.metrics_address,
        currency=plugin.currency,
        node_definitions_digest=digest(node_definitions.encode()),
    )
    return Compiled(manifest, node_definitions)


def digest(node_definitions: bytes) -> str:
    """SHA-256 by which a manifest knows the node definitions that it was written with."""
    return hashlib.sha256(node_definitions).hexdigest()


def read_user_data(config: Config) -> str:
    """The VM's boot script: the site's own template, else ours.

    The manifest is world-readable, so a template that holds a key is refused. Raises DeployError.
    """
    template = config.plugin.user_data_template
    path = Path(template) if template else shipped(USER_DATA_TEMPLATE)
    text = read_small_text(path, "the user data template", MAX_USER_DATA, DeployError)
    if not text.startswith("#!"):
        raise DeployError(f"{path}: the user data template must begin with #!, or a VM doesn't run it")
    if "\0" in text:
        raise DeployError(f"{path}: the user data template holds a NUL byte: it must be a script")
    if _SECRET.search(text):
        raise DeployError(f"{path}: the user data template holds a key: every user can read the manifest, take it out")
    if _PASSWORD_HASH.search(text):
        raise DeployError(
            f"{path}: the user data template holds a password's hash: every user can read the manifest, take it out "
            "and set VmRootPasswordFile"
        )
    return text
