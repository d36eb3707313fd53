"""The commands of a page of the documentation, and what it says that they print."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FENCE: Final = re.compile(r"( *)```(\S*)")
_NO_COMMANDS: Final = frozenset({"ini", "json", "mermaid", "python", "text", "toml", "yaml"})


class PageError(Exception):
    """A page that can't be read, with its name and line."""


@dataclass(frozen=True, slots=True)
class Command:
    """``text`` is what is typed, ``shown`` what is printed then; empty where the page doesn't say."""

    page: str
    line: int
    text: str
    shown: str

    @property
    def where(self) -> str:
        """The page and the line."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True, slots=True)
class _Block:
    language: str
    line: int
    lines: tuple[str, ...]


def commands(page: str, text: str) -> tuple[Command, ...]:
    """All of them, in order: each ``$ …`` of a ``console`` block, and a ``sh`` block as a whole.

    Raises PageError for a block of which isn't said what it is.
    """
    return tuple(command for block in _blocks(page, text) for command in _commands_of(page, block))


def pages(tree: Path) -> dict[str, str]:
    """The text of every page of a checkout, by its name."""
    found = (tree / "README.md", *sorted((tree / "docs").rglob("*.md")), tree / "etc" / "ansible" / "README.md")
    return {str(path.relative_to(tree)): path.read_text(encoding="utf-8") for path in found}


def _blocks(page: str, text: str) -> Iterator[_Block]:
    opened: tuple[int, re.Match[str]] | None = None
    lines: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        fence = _FENCE.match(line)
        if opened is None:
            opened, lines = (number, fence) if fence else None, []
        elif fence is None:
            lines.append(line.removeprefix(opened[1][1]))
        else:
            yield _Block(opened[1][2], opened[0] + 1, tuple(lines))
            opened = None
    if opened is not None:
        raise PageError(f"{page}:{opened[0]}: this block has no end")


def _commands_of(page: str, block: _Block) -> Iterator[Command]:
    if block.language == "sh":
        yield Command(page, block.line, "\n".join(block.lines), "")
    elif block.language == "console":
        yield from _of_console(page, block)
    elif block.language not in _NO_COMMANDS and (block.language or not _is_drawing(block)):
        raise PageError(f"{page}:{block.line - 1}: say what this block is: console (commands, '$ '), sh or text")


def _of_console(page: str, block: _Block) -> Iterator[Command]:
    if not block.lines or not block.lines[0].startswith("$ "):
        raise PageError(f"{page}:{block.line}: a console block begins with a command ('$ ')")
    for prompt in (at for at, line in enumerate(block.lines) if line.startswith("$ ")):
        following = block.lines[prompt + 1 :]
        typed = [block.lines[prompt].removeprefix("$ ")]
        while typed[-1].endswith("\\") and len(typed) <= len(following):
            typed.append(following[len(typed) - 1])
        printed = following[len(typed) - 1 :]
        end = next((at for at, line in enumerate(printed) if line.startswith("$ ")), len(printed))
        yield Command(page, block.line + prompt, "\n".join(typed), "\n".join(printed[:end]).rstrip())


def _is_drawing(block: _Block) -> bool:
    return any(sign in line for line in block.lines for sign in "│─►→")
