"""The help of every command, on a terminal of 80 columns."""

from collections.abc import Iterator

import click
import pytest

from xio_slurm.commands.main import xio


def _all(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            assert command is not None
            yield from _all(click.Context(command, context, name))


COMMANDS = {context.command_path: context for context in _all(click.Context(xio, info_name="xio"))}


def test_all_commands_are_looked_at() -> None:
    assert {"xio", "xio apply", "xio image create", "xio vm test", "xio lab run"} <= {*COMMANDS}


@pytest.mark.parametrize("command", COMMANDS)
def test_it_fits_and_shows_an_example(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = COMMANDS[command].get_help().splitlines()
    assert [line for line in lines if len(line) > 80] == []
    examples = lines[lines.index("  Examples:") + 1 :]
    assert any(line.startswith(f"    {command} ") or line == f"    {command}" for line in examples), examples
