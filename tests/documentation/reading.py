"""Reads a page as somebody does who does what it says: command by command, in the place that it presumes."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.documentation.blocks import Command
from tests.documentation.output import differs
from tests.documentation.shell import CommandError, Ended, Shell

Surroundings = Callable[[], AbstractContextManager[Mapping[str, str]]]
"""Makes what a page presumes, and gives the environment of whoever reads it."""

Deed = Callable[[Shell], None]


@dataclass(frozen=True, slots=True)
class Page:
    """How a page is read. All but ``group`` and ``surroundings`` is by the text of its commands.

    ``group``: the pages that are run one after the other. ``before``: what the reader does first, as the text says in
    words. ``codes``: the exit code, where it isn't 0. ``answers``: what is typed when it asks. ``stays``: it ends by
    Ctrl-C alone. ``not_run``: why it isn't run.
    """

    group: str
    surroundings: Surroundings
    before: Mapping[str, Deed] = field(default_factory=dict)
    codes: Mapping[str, int] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    stays: frozenset[str] = frozenset()
    not_run: Mapping[str, str] = field(default_factory=dict)

    def named(self) -> frozenset[str]:
        """The commands of which it speaks; each must be on the page."""
        return frozenset({*self.before, *self.codes, *self.answers, *self.stays, *self.not_run})


def read(page: Page, commands: tuple[Command, ...], folder: Path) -> Iterator[str]:
    """Type the commands, and tell what is wrong, with page and line. After a failure nothing that follows is typed."""
    with page.surroundings() as environment, _shell(folder, environment) as shell:
        for command in commands:
            if command.text in page.not_run:
                continue
            begun = time.monotonic()
            try:
                if deed := page.before.get(command.text):
                    deed(shell)
                _type(page, command, shell)
            except CommandError as error:
                yield f"{command.where}: {command.text}\n{error}"
                return
            finally:
                print(f"{time.monotonic() - begun:6.1f} s  {command.where}", flush=True)


@contextmanager
def _shell(folder: Path, environment: Mapping[str, str]) -> Iterator[Shell]:
    shell = Shell(folder, environment)
    try:
        yield shell
    finally:
        shell.close()


def _type(page: Page, command: Command, shell: Shell) -> None:
    text = command.text
    if text in page.stays:
        ended = Ended(0, shell.run_on(command, lambda printed: differs(command.shown, printed) is None))
    elif text in page.answers:
        ended = shell.run_at_a_terminal(command, page.answers[text])
    else:
        ended = shell.run(command)
    code = page.codes.get(text, 0)
    if ended.code != code:
        raise CommandError(f"exit code {ended.code} in place of {code}; it printed:\n{ended.printed}")
    if command.shown and (line := differs(command.shown, ended.printed)) is not None:
        raise CommandError(f"the page shows a line that wasn't printed: {line}\nit printed:\n{ended.printed}")
