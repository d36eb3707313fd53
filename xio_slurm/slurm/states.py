"""What Slurm says of a node, from ``scontrol show node -o``: one line a node, ``Key=Value`` all the way."""

import re
from collections.abc import Iterator

from msgspec import Struct

_FIELD = re.compile(r"(?:^|\s)(NodeName|NodeAddr|State)=(\S*)")
_STAMPED = re.compile(r"\sReason=(.*?)\s\[([^\[\]@]*)@([\w:-]+)\]")
_BARE = re.compile(r"\sReason=(.*?)()()(?=\s+[A-Z]\w*=|\s*\Z)")


class NodeState(Struct, frozen=True):
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
        found = dict(reversed(_FIELD.findall(line)))  # of two the first: a comment can hold anything
        if "NodeName" not in found or "State" not in found:
            continue
        yield node_state(found["NodeName"], found["State"], found.get("NodeAddr", ""), reason_of(line)[0])


def node_state(name: str, state: str, address: str, reason: str) -> NodeState:
    """The same of its words: the state as ``A+B+C``."""
    # It can end with a symbol where something wasn't told its long form (``IDLE*``).
    base, *flags = state.rstrip("*~#!%$@^-").split("+")
    return NodeState(name, base, frozenset(flags), address, reason)


def reason_of(line: str) -> tuple[str, str, str]:
    """A node's reason, who gave it, and when in Slurm's local time; empty what isn't told.

    One from slurm.conf (DownNodes) has no time. A comment can follow, and with newer releases the node's reservation,
    instance or place.
    """
    found = _STAMPED.search(line) or _BARE.search(line)
    return (found[1], found[2], found[3]) if found else ("", "", "")
