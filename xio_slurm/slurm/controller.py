"""Slurm's nodes and jobs, read and changed: through scontrol, or through pyslurm where that is installed and fits."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from xio_slurm.manifest import Manifest
from xio_slurm.slurm.states import NodeState


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
    from xio_slurm.slurm.backend import chosen  # noqa: PLC0415  few calls of xio-resume have to do with Slurm

    return chosen(manifest, slurm_conf=slurm_conf, timeout=timeout)
