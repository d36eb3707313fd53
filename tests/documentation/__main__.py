"""Runs a page's commands, on the machine that machine.sh made: ``-m tests.documentation PAGE``, its text on stdin."""

import sys
import tempfile
from pathlib import Path

from tests.documentation import network
from tests.documentation.blocks import PageError, commands
from tests.documentation.pages import PAGES
from tests.documentation.reading import read
from tests.documentation.shell import CommandError


def main(name: str) -> int:
    """Read the page of that name. 0: all commands did as it says; 1: not, and the last lines say which."""
    network.loopback()
    with tempfile.TemporaryDirectory() as folder:
        try:
            wrong = list(read(PAGES[name], commands(name, sys.stdin.read()), Path(folder)))
        except (CommandError, PageError) as error:
            wrong = [f"{name}: what it presumes can't be made: {error}"]
    for problem in wrong:
        print(f"\n{problem}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
