"""Reads slurm.conf as slurmctld does: continued lines, comments, includes, keys in any case.

Followed is Slurm's parse_config.c: a line is one ``Key=value``, or a record (``NodeName=…`` and its further keys);
the last value of a key wins. ``Include FILE`` stands at the very beginning of a line. A name without a leading slash
is relative to the folder of the including file (older versions) or of slurm.conf (newer ones); ``%c`` is the cluster's
name in lower case; there are no globs.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from xio_slurm.errors import SlurmError
from xio_slurm.slurm.hostlist import expand

DEFAULT_PATH: Final = "/etc/slurm/slurm.conf"

_MAX_DEPTH: Final = 16
_MAX_FILES: Final = 500
_MAX_BYTES: Final = 64 * 1024 * 1024
_INCLUDE = re.compile(r"include\s+(\S+)\s*\Z", re.IGNORECASE)
_PAIR = re.compile(r"\s*([A-Za-z0-9_.]+)\s*[-*+/]?=\s*(?:\"([^\"]*)\"|(\S+))(?=\s|\Z)")
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)#.*", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One logical line: continuation joined, comment gone. ``number`` is that of its first line, from 1."""

    file: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Its keys, in lower case, and values."""
        position = 0
        while match := _PAIR.match(self.text, position):
            yield match[1].lower(), match[2] if match[2] is not None else match[3]
            position = match.end()


@dataclass(frozen=True, slots=True)
class Missing:
    """An include that isn't there: slurmctld would try for a minute, then give up."""

    line: Line
    path: str


@dataclass(frozen=True)
class SlurmConf:
    """slurm.conf with its includes put in their places.

    ``included`` is the position in ``lines`` at which the file of ours stands that was asked for; its own lines are
    not among them. None: no file of these includes it.
    """

    path: str
    lines: tuple[Line, ...]
    missing: tuple[Missing, ...]
    included: int | None
    included_at: Line | None

    @cached_property
    def _first_pairs(self) -> tuple[tuple[str, str, Line], ...]:
        return tuple((*pair, line) for line in self.lines for pair in _first(line))

    def values(self, key: str) -> tuple[tuple[str, Line], ...]:
        """Every value of a key at the top, or of a record's name, in order: ``values("ResumeProgram")``."""
        return tuple((value, line) for name, value, line in self._first_pairs if name == key.lower())

    def get(self, key: str) -> str | None:
        """The value that slurmctld takes: the last one."""
        values = self.values(key)
        return values[-1][0] if values else None

    @cached_property
    def nodes(self) -> Mapping[str, Line]:
        """Every node → the line that defines it. Raises SlurmError for a list that can't be read."""
        return self._names("nodename")

    @cached_property
    def partitions(self) -> Mapping[str, Line]:
        """Every partition → the line that defines it."""
        return self._names("partitionname")

    @cached_property
    def nodesets(self) -> Mapping[str, Line]:
        """Every set of nodes → the line that defines it."""
        return self._names("nodeset")

    def _names(self, key: str) -> Mapping[str, Line]:
        found: dict[str, Line] = {}
        for value, line in self.values(key):
            if value.lower() == "default":
                continue
            try:
                names = expand(value)
            except SlurmError as error:
                raise SlurmError(f"{line}: {error}") from error
            for name in names:
                found.setdefault(name, line)
        return found


def read(path: str, *, ours: str | None = None) -> SlurmConf:
    """Read slurm.conf and what it includes.

    ``ours`` is a file whose content is not to be read: it is about to be replaced, and need not exist yet. One whose
    first line says that it stands for that file (``in_place_of``) counts as it.
    Raises SlurmError with file and line for what can't be read.
    """
    reader = _Reader(os.path.dirname(os.path.abspath(path)), os.path.realpath(ours) if ours else None)  # noqa: PTH100, PTH120
    reader.read(path, 0)
    return SlurmConf(path, tuple(reader.lines), tuple(reader.missing), reader.included, reader.included_at)


def in_place_of(path: str) -> str:
    """The first line of a file that slurm.conf includes in place of that one, with something added to each node."""
    return f"# Stands for {path}\n"


def parse(text: str, file: str) -> SlurmConf:
    """The same of a text alone: its includes are not followed."""
    lines = tuple(line for line in logical_lines(text.splitlines(keepends=True), file) if line.text.strip())
    return SlurmConf(file, lines, (), None, None)


def path_in_use() -> str:
    """The slurm.conf that Slurm's own commands would read here."""
    return os.environ.get("SLURM_CONF") or DEFAULT_PATH


@dataclass
class _Reader:
    folder: str
    ours: str | None
    lines: list[Line] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    included: int | None = None
    included_at: Line | None = None
    files: int = 0
    left: int = _MAX_BYTES
    cluster: str | None = None

    def read(self, path: str, depth: int) -> None:
        text = self._text(path, depth)
        for line in logical_lines(text.splitlines(keepends=True), path):
            match = _INCLUDE.match(line.text)
            if match:
                self._include(match[1], line, path, depth)
            elif line.text.strip():
                self.lines.append(line)
                self.cluster = dict(_first(line)).get("clustername", self.cluster)

    def _text(self, path: str, depth: int) -> str:
        self.files += 1
        if depth > _MAX_DEPTH or self.files > _MAX_FILES:
            raise SlurmError(f"{path}: the includes of slurm.conf never end: does a file include itself?")
        try:
            with Path(path).open("rb") as file:
                content = file.read(self.left + 1)
        except OSError as error:
            raise SlurmError(f"{path}: can't be read: {error.strerror}") from error
        self.left -= len(content)
        if self.left < 0:
            raise SlurmError(f"{path}: slurm.conf and its includes are larger than {_MAX_BYTES} bytes")
        return content.decode(errors="replace")

    def _include(self, name: str, line: Line, including: str, depth: int) -> None:
        if "%c" in name:
            if self.cluster is None:
                raise SlurmError(f"{line}: %c stands before the line with ClusterName")
            name = name.replace("%c", self.cluster.lower())
        candidates = [os.path.join(folder, name) for folder in (os.path.dirname(including), self.folder)]  # noqa: PTH118, PTH120
        path = next(filter(os.path.exists, candidates), None)
        if self.ours is not None and (self.ours in map(os.path.realpath, candidates) or self._is_in_place(path)):
            if self.included_at is not None:
                raise SlurmError(f"{line}: {self.included_at} includes this file already: take one of them away")
            self.included, self.included_at = len(self.lines), line
            return
        if path is None:
            self.missing.append(Missing(line, candidates[0]))
        else:
            self.read(path, depth + 1)

    def _is_in_place(self, path: str | None) -> bool:
        if path is None or self.ours is None:
            return False
        mark = in_place_of(self.ours).encode()
        try:
            with Path(path).open("rb") as file:
                return file.read(len(mark)) == mark
        except OSError:
            return False  # told when it is read


def logical_lines(lines: Iterable[str], file: str) -> Iterator[Line]:
    """Join continued lines, take comments and escapes away; empty lines come too."""
    text, start = "", 0
    for number, raw in enumerate(lines, 1):
        start = start or number
        uncommented = _COMMENT.sub(r"\1", raw)
        continued = _continued(uncommented)
        if continued is not None:
            text += continued
            continue
        yield Line(file, start, _ESCAPE.sub(r"\1", text + uncommented).rstrip("\r\n"))
        text, start = "", 0
    if start:
        yield Line(file, start, _ESCAPE.sub(r"\1", text))


def _continued(raw: str) -> str | None:
    """The line without its final backslash, or None for a line that ends here: an escaped backslash is none."""
    stripped = raw.rstrip()
    backslashes = len(stripped) - len(stripped.rstrip("\\"))
    return stripped[:-1] if backslashes % 2 else None


def _first(line: Line) -> Iterator[tuple[str, str]]:
    for pair in line.pairs():
        yield pair
        return
