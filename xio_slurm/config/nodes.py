"""YAML as PyYAML's nodes, which keep what a plain load throws away: lines, duplicate keys, and spelling."""

from collections.abc import Iterator
from typing import Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from xio_slurm.errors import ConfigError, Problem
from xio_slurm.plain_text import printable

KeyPath = tuple[str | int, ...]
"""Where a value stands: mapping keys and list indices from the top of the file."""

MAX_DEPTH: Final = 40
"""How deep a file may nest, and its aliases may lead."""

_LOOK: Final = "look at quotes, brackets and indentation, here and in the line above"

TAG: Final = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """Refuses deep nesting before Python's own recursion limit does."""

    depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH and parent is not None:
            problem = f"nested deeper than {MAX_DEPTH} levels"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=parent.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def compose(file: str, content: bytes) -> Node | None:
    """The top node of a file's content, None for an empty file. Raises ConfigError for what isn't YAML."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise refused(file, line, "isn't text in UTF-8", "save it as UTF-8") from error
    try:
        # The loader below is a SafeLoader, and composing makes no objects at all.
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise refused(file, mark.line + 1 if mark else 1, f"isn't YAML: {printable(what)}", _LOOK) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        what = f"holds the character U+{ord(text[error.position]):04X}, which YAML doesn't allow"
        raise refused(file, line, what, "take it out") from error
    except (ValueError, OverflowError) as error:  # PyYAML's own, for an escape such as "\\UFFFFFFFF"
        raise refused(file, 1, f"isn't YAML: {printable(str(error))}", _LOOK) from error


def duplicates(file: str, root: MappingNode) -> Iterator[Problem]:
    """Every key that a mapping has twice: a plain load would keep the last one, and say nothing."""
    seen: set[int] = set()
    waiting: list[tuple[Node, KeyPath]] = [(root, ())]
    while waiting:
        node, path = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, SequenceNode):
            waiting.extend((value, (*path, index)) for index, value in enumerate(node.value))
        elif isinstance(node, MappingNode):
            first: dict[str, Node] = {}
            for key, value in node.value:
                text = _key_text(key)
                if text in first and isinstance(key, ScalarNode):
                    what = f"is there twice, first in line {line_of(first[text])}"
                    yield Problem("error", file, line_of(key), dotted((*path, text)), what, "keep one of them")
                first.setdefault(text, key)
                waiting.append((value, (*path, text)))


def dotted(path: KeyPath) -> str:
    """A path as messages spell it: ``slurm.Xio.Pools[0].ImageName``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return printable(text.removeprefix("."))


def pairs_of(node: MappingNode) -> dict[str, tuple[Node, Node]]:
    """The keys of a mapping, with those that ``<<`` merges into it; its own come first, as YAML has it."""
    pairs: dict[str, tuple[Node, Node]] = {}
    seen: set[int] = set()
    waiting: list[Node] = [node]
    while waiting:
        mapping = waiting.pop(0)
        if id(mapping) in seen:
            continue
        seen.add(id(mapping))
        if isinstance(mapping, SequenceNode):
            waiting.extend(mapping.value)
        elif isinstance(mapping, MappingNode):
            for key, value in mapping.value:
                if key.tag == f"{TAG}merge":
                    waiting.append(value)
                else:
                    pairs.setdefault(_key_text(key), (key, value))
    return pairs


def _key_text(key: Node) -> str:
    # A key that YAML reads as a number or boolean (8, on) is meant as it stands there.
    return key.value if isinstance(key, ScalarNode) else "?"


def line_of(node: Node) -> int:
    """The line that a node begins in, from 1."""
    return node.start_mark.line + 1


def refused(file: str, line: int, what: str, remedy: str) -> ConfigError:
    """The error for a file that can't be read any further."""
    return ConfigError((Problem("error", file, line, "", what, remedy),))
