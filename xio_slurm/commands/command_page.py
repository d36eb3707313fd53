"""The page docs/commands.md, made from the commands themselves.

``python -m xio_slurm.commands.command_page > docs/commands.md``
"""

import inspect
import re
import sys
from argparse import Action, ArgumentParser
from collections.abc import Iterable, Iterator
from typing import Final

import click

from xio_slurm.commands.main import xio
from xio_slurm.markdown import table
from xio_slurm.power.program import parser_of

_INTRODUCTION: Final = """\
# Commands

<!-- Made from the commands themselves by 'python -m xio_slurm.commands.command_page': change those, not this. -->

Every command says this itself with `--help`. Unless its section says otherwise, a command ends with exit code

| | |
| --- | --- |
| 0 | when all is fine |
| 1 | when there is a problem; it is told in one line each, on stderr |
| 2 | when it was called wrongly |
| 3 | when it met a mistake of its own; it names the file of a report to send |
| 130 | when it was interrupted with Ctrl-C |

With `--json` there is one JSON document on stdout. Where a command fails before it has one, that is
`{"complete": false, "errors": ["…"]}`. Colours appear on a terminal only, and never with `NO_COLOR` set.
"""

_PROGRAMS: Final = """\
## The programs that Slurm calls

slurmctld calls them as SlurmUser with the nodes as one hostlist, and hardly an environment. What they did stands in
`xio.log`. Slurm makes nothing of their exit codes: 0 all nodes are seen to, 1 some failed, and Slurm was told,
2 nothing could be done.
"""

PROGRAMS: Final = ("xio-resume", "xio-suspend", "xio-resume-fail")

_WIDTH: Final = 80

_PARAGRAPHS: Final = re.compile(r"\n\n+|\n(?=\x08\n)")
"""What parts them: empty lines, and click's mark of a paragraph whose lines are as they are."""


def page() -> str:
    """The whole page."""
    sections = (line for context in contexts() for line in _command(context))
    programs = (line for name in PROGRAMS for line in _program(parser_of(name)))
    return "\n".join((_INTRODUCTION, *sections, _PROGRAMS, *programs))


def contexts() -> Iterator[click.Context]:
    """Every command, below the one that has it."""
    return _below(_context(xio, None, "xio"))


def _below(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None:
                yield from _below(_context(command, context, name))


def _context(command: click.Command, parent: click.Context | None, name: str) -> click.Context:
    return click.Context(command, parent, name, terminal_width=_WIDTH, **command.context_settings)


def _command(context: click.Context) -> Iterator[str]:
    command = context.command
    yield f"## {context.command_path}\n"
    formatter = context.make_formatter()
    command.format_usage(context, formatter)
    yield _fence(formatter.getvalue().strip())
    yield from map(_paragraph, _PARAGRAPHS.split(inspect.cleandoc(command.help or "")))
    options = (each for each in command.get_params(context) if isinstance(each, click.Option))
    records = (option.get_help_record(context) for option in options if "--help" not in option.opts)
    yield _meanings("Option", (record for record in records if record is not None))
    if isinstance(command, click.Group):
        names = (f"{context.command_path} {name}" for name in command.list_commands(context))
        yield " · ".join(f"[{name}](#{name.replace(' ', '-')})" for name in names) + "\n"


def _paragraph(text: str) -> str:
    lines = text.removeprefix("\b\n")
    if lines.startswith("Examples:\n"):
        return "Examples:\n\n" + _fence(inspect.cleandoc(lines.removeprefix("Examples:\n")))
    if lines == text or lines.startswith("Exit code"):
        return _plain(" ".join(lines.split())) + "\n"
    return _fence(lines)


def _program(parser: ArgumentParser) -> Iterator[str]:
    yield f"### {parser.prog}\n"
    yield _fence(f"Usage: {parser.prog} [--manifest FILE] HOSTLIST [FEATURES]...")
    actions: list[Action] = parser._actions  # argparse has no other way to ask; the first is --help
    rows = ((f"{', '.join(each.option_strings)} {each.metavar or ''}".strip(), each.help or "") for each in actions[1:])
    yield _meanings("Argument", rows)
    yield "Example:\n"
    yield _fence(inspect.cleandoc((parser.epilog or "").removeprefix("example:\n")))


def _meanings(title: str, rows: Iterable[tuple[str, str]]) -> str:
    return table((title, "Meaning"), ((f"`{name.replace('|', chr(92) + '|')}`", _plain(text)) for name, text in rows))


def _plain(text: str) -> str:
    """Words that no reader of Markdown takes for marks."""
    return " ".join(text.replace("<", "&lt;").replace("*", "\\*").replace("|", "\\|").split())


def _fence(text: str) -> str:
    return f"```text\n{text}\n```\n"


if __name__ == "__main__":
    sys.stdout.write(page())
