"""What a reader does between two commands of a page, as its text says in words."""

from tests.documentation.blocks import Command
from tests.documentation.reading import Deed
from tests.documentation.shell import CommandError, Shell


def typed(text: str) -> Deed:
    """A command that must end well."""

    def do(shell: Shell) -> None:
        ended = shell.run(Command("", 0, text, ""))
        if ended.code != 0:
            raise CommandError(f"before it, '{text}' ended with {ended.code}: {ended.printed}")

    return do


def ctrl_c(text: str) -> Deed:
    """The end of a command that stays."""
    return lambda shell: shell.ctrl_c(text)


def all_of(*deeds: Deed) -> Deed:
    """Several, one after the other."""

    def do(shell: Shell) -> None:
        for deed in deeds:
            deed(shell)

    return do
