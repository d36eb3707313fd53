"""Tells Slurm the addresses of nodes whose VM has one that Slurm doesn't know."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.ems.vms import Vms
from xio_slurm.power.outcome import Done, Outcome
from xio_slurm.power.side_by_side import side_by_side
from xio_slurm.power.sync.proposals import Proposal
from xio_slurm.slurm.states import NodeState

MOST_LOOKS: Final = 100
"""Of one pass; those that have booted for the longest time come first."""

_ADDRESS: Final = re.compile(r"[0-9A-Za-z.:-]+")


def missing_addresses(
    proposals: Iterable[Proposal], states: Mapping[str, NodeState], vms: Vms, deadline: Deadline, *, at_once: int
) -> dict[str, str]:
    """The addresses that Slurm lacks, by node. A VM that can't be looked at, or has none yet, is absent."""
    found: dict[str, str] = {}

    def look(node: str) -> Outcome:
        vm = vms.get(node, deadline)
        if vm is not None and vm.address is not None and _ADDRESS.fullmatch(vm.address):
            found[node] = vm.address
        return Done(node, "looked up")

    oldest = sorted(proposals, key=lambda proposal: proposal.entry.asked if proposal.entry is not None else 0.0)
    tuple(side_by_side(look, [proposal.node for proposal in oldest[:MOST_LOOKS]], most=at_once))
    return {node: address for node, address in found.items() if states[node].address != address}
