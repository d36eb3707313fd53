"""YAML nodes as plain Python values, for the schema to judge.

How a value was spelled matters: YAML reads ``on`` as a boolean and ``010`` as eight, and nobody who writes a pool's
name or size means that. A value that is no plain text, number or boolean becomes an ``Odd`` that no key accepts.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from xio_slurm.config.nodes import MAX_DEPTH, TAG, line_of, pairs_of, refused

MAX_VALUES: Final = 100_000
"""Aliases can make a small file unfold to gigabytes; no configuration has as many values as this."""

_BOOLEANS: Final = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_DECIMAL: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})", re.ASCII)
_FRACTION: Final = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+]?[0-9]{1,3})?", re.ASCII)
_NUMBER_ELSEWHERE: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+", re.ASCII)
"""Numbers in YAML 1.2 but not in PyYAML's 1.1 (``1e3``): tools would disagree about the file."""


@dataclass(frozen=True, slots=True)
class Odd:
    """A value that no key of ours takes as it is spelled."""

    kind: Literal["null", "number", "timestamp", "tag"]
    text: str


Plain = str | int | float | bool | Odd | list["Plain"] | dict[str, "Plain"]


def unfold(file: str, node: Node) -> Plain:
    """The value of a node, aliases followed and ``<<`` merged. ``file`` is for messages.

    Raises ConfigError if that is more than a configuration can be.
    """
    return _Unfolding(file).plain(node, 0)


class _Unfolding:
    """Turns nodes into plain values, and counts them."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._count = 0

    def plain(self, node: Node, depth: int) -> Plain:
        self._count += 1
        if self._count > MAX_VALUES or depth > MAX_DEPTH:
            raise refused(self._file, line_of(node), "unfolds to too many values", "use fewer aliases (*name)")
        if isinstance(node, MappingNode):
            return {key: self.plain(value, depth + 1) for key, (_, value) in pairs_of(node).items()}
        if isinstance(node, SequenceNode):
            return [self.plain(value, depth + 1) for value in node.value]
        return _scalar(node) if isinstance(node, ScalarNode) else Odd("tag", node.tag)


def _scalar(node: ScalarNode) -> Plain:
    text: str = node.value
    kind = node.tag.removeprefix(TAG)
    plain: Plain = Odd("tag", node.tag)
    if kind == "str":
        quoted = node.style is not None
        plain = text if quoted or not _NUMBER_ELSEWHERE.fullmatch(text) else Odd("number", text)
    elif kind == "bool":
        plain = _BOOLEANS.get(text.lower(), plain)
    elif kind == "int":
        plain = int(text) if _DECIMAL.fullmatch(text) else Odd("number", text)
    elif kind == "float":
        plain = float(text) if _FRACTION.fullmatch(text) else Odd("number", text)
    elif kind in ("null", "timestamp"):
        plain = Odd("null" if kind == "null" else "timestamp", text)
    return plain
