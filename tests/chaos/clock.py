"""The clock that our programs and ``xio sync`` see: the machine's, off by seconds that a file says.

Nothing else sees it: neither Slurm nor the EMS, nor the jobs, nor whoever judges. The machine's clock is never set.

Run as a script it is the programs' side: ``clock.py MODULE ARGUMENTS…`` is ``python -m MODULE ARGUMENTS…`` with that
clock, which $XIO_CHAOS_CLOCK names.
"""

import os
import runpy
import sys
import time
from pathlib import Path
from typing import Final

VARIABLE: Final = "XIO_CHAOS_CLOCK"
"""Names the file in the programs' environment."""


class Clock:
    """The hand on it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.set(0)

    def set(self, seconds: float) -> None:
        """Have it go wrong by so many seconds, at once and in every program that runs."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds}\n")
        new.chmod(0o644)  # the programs are SlurmUser's
        new.replace(self.file)


def _main() -> None:
    file = Path(os.environ[VARIABLE])
    right = time.time
    time.time = lambda: right() + float(file.read_text())
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
