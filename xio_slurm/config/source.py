"""A configuration file that is well-formed: its values for the schema, and the line of every key for messages."""

from pathlib import Path
from typing import Final

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from xio_slurm.config.nodes import (
    KeyPath,
    compose,
    duplicates,
    line_of,
    pairs_of,
    refused,
)
from xio_slurm.config.plain import Plain, unfold
from xio_slurm.errors import ConfigError
from xio_slurm.plain_text import printable

MAX_BYTES: Final = 512 * 1024


class Source:
    """A file that is well-formed YAML with a mapping at its top and no key twice."""

    def __init__(self, file: str, root: MappingNode) -> None:
        self.file = file
        self._root = root
        self._pairs: dict[int, dict[str, tuple[Node, Node]]] = {}

    @classmethod
    def read(cls, path: Path) -> "Source":
        """Read a file. Raises ConfigError with what makes it unreadable as a configuration."""
        file = printable(str(path))
        try:
            with path.open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
        except FileNotFoundError as error:
            raise refused(file, 0, "there is no such file", "name the file, or copy etc/xio.yaml") from error
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "that is no file's name"
            raise refused(file, 0, f"can't be read: {reason}", "name a file that you may read") from error
        if len(content) > MAX_BYTES:
            raise refused(
                file, 0, f"is larger than {MAX_BYTES // 1024} KiB: that is no configuration", "name another file"
            )
        return cls.parse(file, content)

    @classmethod
    def parse(cls, file: str, content: bytes) -> "Source":
        """Read a file's content. ``file`` is for messages."""
        root = compose(file, content)
        if root is None:
            raise refused(file, 1, "is empty", "write 'slurm: Xio: …', or copy etc/xio.yaml")
        if not isinstance(root, MappingNode):
            raise refused(file, line_of(root), "has no keys at its top", "write 'slurm: Xio: …' as in etc/xio.yaml")
        problems = tuple(duplicates(file, root))
        if problems:
            raise ConfigError(problems)
        return cls(file, root)

    def line(self, path: KeyPath) -> int:
        """The line of a key or list entry; of what holds it where it isn't there itself."""
        node: Node = self._root
        line = line_of(node)
        for step in path:
            found = self._step(node, step)
            if found is None:
                break
            place, node = found
            line = line_of(place)
        return line

    def text(self, path: KeyPath) -> str | None:
        """A scalar as the file spells it, or None where there is none."""
        node = self._node(path)
        return node.value if isinstance(node, ScalarNode) else None

    def names(self, path: KeyPath = ()) -> tuple[str, ...]:
        """The keys of a mapping; none where there is no mapping."""
        node = self._node(path)
        return tuple(self._keys(node)) if isinstance(node, MappingNode) else ()

    def plain(self, path: KeyPath) -> Plain | None:
        """The value there, as plain Python; None where there is none.

        Raises ConfigError if aliases unfold to more than a configuration can be.
        """
        node = self._node(path)
        return None if node is None else unfold(self.file, node)

    def _node(self, path: KeyPath) -> Node | None:
        node: Node = self._root
        for step in path:
            found = self._step(node, step)
            if found is None:
                return None
            _, node = found
        return node

    def _step(self, node: Node, step: str | int) -> tuple[Node, Node] | None:
        """The place (key or entry) and the value that one step of a path leads to."""
        if isinstance(node, MappingNode) and isinstance(step, str):
            return self._keys(node).get(step)
        if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            return node.value[step], node.value[step]
        return None

    def _keys(self, node: MappingNode) -> dict[str, tuple[Node, Node]]:
        # Kept, because a file with thousands of problems asks for the same mapping as often.
        if id(node) not in self._pairs:
            self._pairs[id(node)] = pairs_of(node)
        return self._pairs[id(node)]
