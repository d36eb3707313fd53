"""The configuration as it holds in a lab, as a file: what commands in the lab read without being told."""

from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import structs

from xio_slurm.config.model import Config, Plugin

_SECTIONS: Final = {"xio": "Xio", "xwo": "Xwo"}

_KEYS: Final = {
    "ems_url": "EmsUrl",
    "ems_proxy": "EmsProxy",
    "state_dir": "StateDir",
    "log_dir": "LogDir",
    "slurm_bin_dir": "SlurmBinDir",
    "program_dir": "ProgramDir",
    "user_data_template": "UserDataTemplate",
    "vm_hook_script": "VmHookScript",
    "resume_timeout": "ResumeTimeout",
    "suspend_timeout": "SuspendTimeout",
    "suspend_time": "SuspendTime",
    "resume_rate": "ResumeRate",
    "suspend_rate": "SuspendRate",
    "tls.ca_file": "EmsCaFile",
    "tls.client_certificate": "EmsClientCertificate",
    "tls.client_key": "EmsClientKey",
    "tls.server_name": "EmsServerName",
    "delegates.resume": "DelegateResumeProgram",
    "delegates.suspend": "DelegateSuspendProgram",
    "delegates.resume_fail": "DelegateResumeFailProgram",
    "recovery.retry_seconds": "RetrySeconds",
    "recovery.close_seconds": "CloseSeconds",
    "recovery.longest_close_seconds": "LongestCloseSeconds",
    "recovery.boot_failures": "BootFailures",
    "recovery.failed_starts": "FailedStarts",
    "recovery.release_surplus": "ReleaseSurplusNodes",
    "recovery.grace": "OrphanGrace",
    "recovery.sync_interval": "SyncInterval",
    "recovery.most_deletes": "MostDeletes",
}
"""What a lab may set of its own: where it is in the model, and in the file."""


def own_config(source: Path, loaded: Config, own: Config) -> str:
    """The text of a file that says what ``own`` says: the ``source`` of ``loaded``, with what the lab has changed."""
    document = yaml.safe_load(source.read_text(encoding="utf-8"))
    document["slurm"]["ClusterName"] = own.cluster
    section = document["slurm"][_SECTIONS[own.product]]
    plugin = section.get("Plugin") or {}
    before, after = _flat(loaded.plugin), _flat(own.plugin)
    for place, key in _KEYS.items():
        if before.get(place) != after.get(place):
            plugin[key] = after.get(place)
    if own.root_password is None:
        section.pop("VmRootPasswordSecret", None)
    section["Plugin"] = {key: value for key, value in plugin.items() if value is not None}
    return f"# Made by 'xio lab up' of {source}\n{yaml.safe_dump(document, sort_keys=False, allow_unicode=True)}"


def _flat(plugin: Plugin) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields(plugin):
        value = getattr(plugin, field.name)
        if field.name in {"tls", "delegates", "recovery"}:
            found |= {f"{field.name}.{part}": of_it for part, of_it in structs.asdict(value).items()} if value else {}
        else:
            found[field.name] = value
    return found
