"""What Slurm says of a node, from ``scontrol show node -o``: one line a node, ``Key=Value`` all the way."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FIELD = re.compile(r"(?:^|\s)(NodeName|NodeAddr|State)=(\S*)")
_REASON = re.compile(r"\sReason=(.*?)(?:\s\[[^\[\]]*@[^\[\]]*\])?\s*\Z")


@dataclass(frozen=True, slots=True)
class NodeState:
    """A node's state: ``base`` is IDLE, ALLOCATED, MIXED, DOWN …, ``flags`` are what follows it (``A+B+C``).

    Flags that this program doesn't know are kept as they are: every Slurm release brings new ones.
    """

    name: str
    base: str
    flags: frozenset[str]
    address: str
    reason: str

    @property
    def powering_up(self) -> bool:
        """Slurm has called our ResumeProgram for it and waits for slurmd."""
        return "POWERING_UP" in self.flags and not self.flags & {"POWERING_DOWN", "POWER_DOWN"}

    @property
    def powered_down(self) -> bool:
        """Nothing is asked of it, and nothing runs."""
        return "POWERED_DOWN" in self.flags and "POWERING_UP" not in self.flags


def parse_nodes(text: str) -> Iterator[NodeState]:
    """The nodes of an ``scontrol show node -o``. Lines that name no node (a version's notes) are passed over."""
    for line in text.splitlines():
        found = dict(_FIELD.findall(line))
        if "NodeName" not in found or "State" not in found:
            continue
        # The state can end with a symbol where something wasn't told its long form (``IDLE*``).
        base, *flags = found["State"].rstrip("*~#!%$@^-").split("+")
        reason = _REASON.search(line)
        yield NodeState(
            name=found["NodeName"],
            base=base,
            flags=frozenset(flags),
            address=found.get("NodeAddr", ""),
            reason=reason[1] if reason else "",
        )
