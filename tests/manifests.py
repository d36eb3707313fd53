"""The manifest that tests begin with: each says what matters to it, and nothing else."""

from typing import Any

from msgspec import structs

from xio_slurm.manifest import Delegates, Manifest

_PLAIN = Manifest(
    product="xio",
    cluster="lab",
    node_prefix="xspot-vm-",
    ems_url="http://127.0.0.1:9",
    connect_timeout=2,
    read_timeout=1,
    max_concurrent_requests=8,
    state_dir="/nowhere",
    log_dir="/nowhere",
    slurm_bin_dir="/usr/bin",
    resume_timeout=20,
    suspend_timeout=8,
    delegates=Delegates(None, None, None),
    mounts=(),
    vm_hook_script=None,
    user_data="#!/bin/sh\n",
    pools=(),
)


def manifest_with(**fields: Any) -> Manifest:
    """That manifest, with other fields."""
    return structs.replace(_PLAIN, **fields)
