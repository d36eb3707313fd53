"""How the commands print: lines on stderr, tables, and errors for programs."""

import functools
import json
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from xio_slurm.errors import XioError

if TYPE_CHECKING:
    from rich.console import Console

_Command = TypeVar("_Command", bound=Callable[..., Any])

_ENDLESS: Final = 100_000
"""Columns where no terminal folds the lines: a name that is folded is no name to whatever reads them."""

_COMMAND: Final = re.compile(r": +(xio [a-z].*)\Z")


def with_command(line: str) -> tuple[str, ...]:
    """A line for people. The command that it ends with (``…: xio …``) gets a line of its own, to be copied whole."""
    if (found := _COMMAND.search(line)) is None:
        return (line,)
    return f"{line[: found.start()]}:", f"    {found[1]}"


def folded(line: str, indent: str) -> str:
    """A line for people: on a terminal no wider than that, with ``indent`` before what follows; in a pipe as it is.

    It is folded between words alone: a name or a path that is folded is none.
    """
    if not sys.stdout.isatty():
        return line
    return textwrap.fill(
        line,
        shutil.get_terminal_size().columns,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def tell(lines: Iterable[str]) -> None:
    """Print lines on stderr."""
    for line in lines:
        for part in with_command(line):
            click.echo(part, err=True)


def json_option(text: str) -> Callable[[_Command], _Command]:
    """Give a command ``--json``, as its argument ``as_json``: its errors are then told to programs, too."""

    def decorate(command: _Command) -> _Command:
        @functools.wraps(command)
        def told(**arguments: Any) -> Any:
            with _told_to_programs(as_json=arguments["as_json"]):
                return command(**arguments)

        return click.option("--json", "as_json", is_flag=True, help=text)(told)  # type: ignore[return-value]

    return decorate


@contextmanager
def _told_to_programs(*, as_json: bool) -> Iterator[None]:
    """An error is one JSON document on stdout, too, where that is what was asked for."""
    try:
        yield
    except XioError as error:
        if as_json:
            click.echo(json.dumps({"complete": False, "errors": str(error).splitlines()}, indent=2))
        raise


def table_console() -> "Console":
    """Where a table goes: stdout, as wide as the terminal; in a pipe as wide as its longest line."""
    from rich.console import Console  # noqa: PLC0415  slow to load, and many a command prints no table

    return Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else _ENDLESS)
