"""Slurm's nodes and jobs, read and changed: through scontrol, or through pyslurm where that is installed and fits."""

import logging
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Protocol

from xio_slurm.errors import SlurmError
from xio_slurm.manifest import Manifest
from xio_slurm.slurm.scontrol import Scontrol
from xio_slurm.slurm.states import NodeState
from xio_slurm.slurm.version import installed, parse

log = logging.getLogger("xio_slurm")


class Controller(Protocol):
    """Every method raises SlurmError when Slurm refuses, and SlurmTimeout when it doesn't answer in time."""

    def nodes(self, names: Iterable[str]) -> Mapping[str, NodeState]:
        """The states of the named nodes. Names that Slurm doesn't know are absent."""

    def every_node(self) -> Mapping[str, NodeState]:
        """The states of all nodes that Slurm knows, ours and others'."""

    def set_addresses(self, addresses: Mapping[str, str]) -> None:
        """Tell the nodes' addresses."""

    def set_state(self, names: Iterable[str], state: str, reason: str | None = None) -> None:
        """Change nodes' state. DOWN needs a reason. An unknown name breaks the update in its middle."""

    def update_jobs(self, ids: Iterable[str], *changes: str) -> None:
        """Change jobs, ``Key=value`` each. Ids are as squeue prints them. Each is tried; raises if one fails."""

    def notify(self, number: int, text: str) -> None:
        """Write a line on the terminal of a job's srun or salloc."""


def controller(manifest: Manifest, *, slurm_conf: str | None = None, timeout: float = 30.0) -> Controller:
    """The manifest's. ``timeout`` is for one question, in seconds; ``slurm_conf`` None: the environment's."""
    bin_dir, backend = manifest.slurm_bin_dir, manifest.slurm_backend
    if backend == "scontrol":
        return Scontrol(bin_dir, slurm_conf=slurm_conf, timeout=timeout)
    unfit = _unfit(bin_dir, slurm_conf)
    if unfit is None:
        from xio_slurm.slurm.pyslurm_controller import PyslurmController  # noqa: PLC0415  most sites haven't it

        return PyslurmController(bin_dir, slurm_conf=slurm_conf, timeout=timeout)
    if backend == "pyslurm":
        log.warning("SlurmBackend: pyslurm can't be used, so scontrol is: %s", unfit)
    return Scontrol(bin_dir, slurm_conf=slurm_conf, timeout=timeout)


def _unfit(bin_dir: str, slurm_conf: str | None) -> str | None:
    """Why pyslurm can't be used, without importing it."""
    if find_spec("pyslurm") is None:
        return "it isn't installed where xio-slurm is"
    try:
        built = parse(f"slurm {version('pyslurm')}")
        slurm = installed(bin_dir, slurm_conf=slurm_conf)
    except (PackageNotFoundError, SlurmError) as error:
        return f"whether it fits can't be told: {error}"
    if built is None or slurm is None or built[:2] != slurm[:2]:
        return (
            f"pyslurm {built or 'of no version'} fits the Slurm of its number alone, and this is {slurm or 'unknown'}"
        )
    return None
