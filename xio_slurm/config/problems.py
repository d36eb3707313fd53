"""Collects everything that is wrong with a file, so that all of it is told at once."""

from typing import Literal

from xio_slurm.config.nodes import KeyPath, dotted
from xio_slurm.config.source import Source
from xio_slurm.errors import Problem
from xio_slurm.plain_text import printable


class Problems:
    """The problems found so far. They are given by where they stand, and told by line and key."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: dict[Problem, None] = {}
        self._broken: set[KeyPath] = set()

    def error(self, path: KeyPath, what: str, remedy: str) -> None:
        """A rule that is broken. Left out if an error inside the same place explains it already."""
        if not self.has_error(path):
            self._add("error", path, what, remedy)
            self._broken.update(path[:length] for length in range(len(path) + 1))

    def warning(self, path: KeyPath, what: str, remedy: str) -> None:
        """Something that works, and that the author should know. Left out like an error."""
        if not self.has_error(path):
            self._add("warning", path, what, remedy)

    def has_error(self, path: KeyPath) -> bool:
        """Whether an error is known at a place, or inside it."""
        return path in self._broken

    def spelling(self, path: KeyPath) -> str:
        """A value as the file spells it, which YAML may read as another (``on`` as true)."""
        return printable(self._source.text(path) or "")[:40]

    def in_order(self) -> tuple[Problem, ...]:
        """All of them, by line; of one line, the errors first."""
        return tuple(sorted(self._found, key=lambda problem: (problem.line, problem.severity, problem.key)))

    def _add(self, severity: Literal["error", "warning"], path: KeyPath, what: str, remedy: str) -> None:
        source = self._source
        problem = Problem(severity, source.file, source.line(path), dotted(path), printable(what), printable(remedy))
        self._found.setdefault(problem)
