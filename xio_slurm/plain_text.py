"""Text of others in our lines: one line, printable, of a length that people read."""

from collections.abc import Iterable
from typing import Final

_WIDTH: Final = 60


def printable(text: str) -> str:
    """The text without what could move a terminal's cursor or can't be encoded."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def one_line(text: str) -> str:
    """The text as words with one space between them; what isn't printable separates them."""
    plain = text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)
    return " ".join(plain.split())


def shortened(text: str, length: int) -> str:
    """The text, cut where it is longer."""
    return text if len(text) <= length else text[: length - 1] + "…"


def listed(names: Iterable[str]) -> str:
    """Names after each other, as many as go into a line; of the others, how many there are."""
    rest = [shortened(printable(name), _WIDTH) for name in names]
    shown = rest[:1]
    while len(shown) < len(rest) and len(", ".join((*shown, rest[len(shown)]))) <= _WIDTH:
        shown.append(rest[len(shown)])
    left = len(rest) - len(shown)
    return ", ".join(shown) + (f" and {left} more" if left else "")
