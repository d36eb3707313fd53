"""How the commands print: lines on stderr, and tables."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from rich.console import Console

_ENDLESS: Final = 100_000
"""Columns where no terminal folds the lines: a name that is folded is no name to whatever reads them."""


def tell(lines: Iterable[str]) -> None:
    """Print lines on stderr."""
    for line in lines:
        click.echo(line, err=True)


def table_console() -> "Console":
    """Where a table goes: stdout, as wide as the terminal; in a pipe as wide as its longest line."""
    from rich.console import Console  # noqa: PLC0415  slow to load, and many a command prints no table

    return Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else _ENDLESS)
