"""Finds the cluster's name and head node for the EMS's environment: in the configuration, else in slurm.conf."""

import os
import re
from pathlib import PurePath
from typing import Any, Final

from xio_slurm.config.model import Config
from xio_slurm.ems.documents import Document
from xio_slurm.errors import DeployError
from xio_slurm.plan.environment_document import Head
from xio_slurm.slurm.conf import SlurmConf, path_in_use

_PARALLELCLUSTER: Final = "/opt/parallelcluster"
_PARALLELCLUSTERS_CONF: Final = "slurm_parallelcluster*.conf"
_PROGRAMS: Final = ("ResumeProgram", "SuspendProgram", "ResumeFailProgram")

_HOST: Final = re.compile(r"\s*([^\s(]+)(?:\(([^)]+)\))?")
"""``SlurmctldHost=name(address)``; the address may be left out."""


def cluster_of(config: Config, conf: SlurmConf | None) -> str:
    """The cluster's name: the configuration's, else slurm.conf's. Raises DeployError where neither names it."""
    name = config.cluster or (conf.get("ClusterName") if conf is not None else None)
    if not name:
        lacks = f"{conf.path} has no ClusterName" if conf is not None else "there is no slurm.conf here that has it"
        raise DeployError(f"{config.file}: the cluster's name isn't known, and {lacks}: add ClusterName under slurm")
    return name


def head_of(config: Config, cluster: str, conf: SlurmConf | None, environment: Document | None) -> Head:
    """The head node. ``environment`` is what the EMS has of it so far.

    Where there is no slurm.conf, what the EMS was told before is taken for right; ``address`` is empty where nothing
    tells it.
    """
    known = environment if conf is None and environment is not None else {}
    slurm = known.get("Slurm")
    told = slurm.get("ConfPath") if isinstance(slurm, dict) else None
    folder = os.path.dirname(os.path.abspath(conf.path if conf is not None else path_in_use()))  # noqa: PTH100, PTH120
    return Head(
        cluster=cluster,
        address=config.plugin.head_address or _address(cluster, conf) or _text(known.get("HeadAddress")),
        bin_path=config.plugin.slurm_bin_dir,
        conf_path=_text(told) or folder,
    )


def is_known(config: Config, conf: SlurmConf | None) -> bool:
    """Whether the configuration or slurm.conf tells where the head node is, and not the EMS alone."""
    return bool(config.plugin.head_address) or _address("", conf) != ""


def _address(cluster: str, conf: SlurmConf | None) -> str:
    if conf is None:
        return ""
    if _is_parallelcluster(conf):
        return f"head_node.{cluster}.pcluster"
    # The first is the primary controller, each later one a backup.
    hosts = conf.values("SlurmctldHost")
    match = _HOST.match(hosts[0][0]) if hosts else None
    return (match[2] or match[1]) if match else ""


def _is_parallelcluster(conf: SlurmConf) -> bool:
    """By its programs, by the files that its slurm.conf includes, or by its folder on this machine.

    /opt/slurm/etc alone says nothing: others build Slurm there, too.
    """
    files = {*(line.file for line in conf.lines), *(each.path for each in conf.missing)}
    programs = [value for key in _PROGRAMS for value, _ in conf.values(key)]
    return (
        any(value.startswith(f"{_PARALLELCLUSTER}/") for value in programs)
        or any(PurePath(file).match(_PARALLELCLUSTERS_CONF) for file in files)
        or os.path.isdir(_PARALLELCLUSTER)  # noqa: PTH112  it never raises
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
