"""Whether Slurm is using a node whose VM is to be deleted by hand."""

from dataclasses import dataclass
from typing import Final

from xio_slurm.errors import SlurmError
from xio_slurm.manifest import Manifest
from xio_slurm.slurm.scontrol import Scontrol
from xio_slurm.slurm.states import NodeState
from xio_slurm.vms.names import is_test_name

_TIMEOUT: Final = 10.0
_WITH_JOBS: Final = frozenset({"ALLOCATED", "MIXED", "COMPLETING"})
_UNDER_WAY: Final = frozenset({"COMPLETING", "POWERING_UP", "POWER_UP"})


@dataclass(frozen=True, slots=True)
class Use:
    """``in_use``: a job could lose its node. ``words``: what Slurm says of the node; empty where it says nothing."""

    in_use: bool
    words: str


def use_of(manifest: Manifest, node: str) -> Use:
    """Ask Slurm once. A Slurm that can't be asked may be using the node: that counts as a yes."""
    if is_test_name(node) and manifest.pool_of(node) is None:
        return Use(in_use=False, words="")  # no node of Slurm's
    try:
        state = Scontrol(manifest.slurm_bin_dir, timeout=_TIMEOUT).nodes((node,)).get(node)
    except SlurmError as error:
        return Use(in_use=True, words=f"Slurm can't be asked whether it is using the node ({error})")
    if state is None:
        return Use(in_use=False, words="Slurm has no such node")
    said = "+".join((state.base, *sorted(state.flags)))
    return Use(is_using(state), f"Slurm says of the node: {said}")


def is_using(state: NodeState) -> bool:
    """Whether Slurm has jobs on the node, or waits for it to boot."""
    if state.powered_down:
        return False
    return state.base in _WITH_JOBS or bool(state.flags & _UNDER_WAY)
