"""How often jobs have failed to start, of which Slurm keeps no count: ``<state folder>/jobs/<number>.json``.

A file a job, replaced as a whole. Two calls that fail one job at the same moment can lose a count: it is held one
start later. A file that can't be read counts as none.
"""

import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from xio_slurm.errors import LedgerUnusable
from xio_slurm.private_files import replace_file

_FORGOTTEN_AFTER: Final = 7 * 24 * 3600.0


class FailedStarts(Struct, frozen=True, tag_field="version", tag=1):
    """A job's. ``counted`` are those that count against it, ``in_a_row`` all. ``last`` in seconds since 1970."""

    counted: int = 0
    in_a_row: int = 0
    last: float = 0.0


class FailedStartsOfJobs:
    """Reads and writes them under a state folder."""

    def __init__(self, state_dir: str) -> None:
        self._folder = Path(state_dir) / "jobs"

    def read(self, job: int) -> FailedStarts:
        """A job's failed starts."""
        try:
            return msgspec.json.decode(self._path(job).read_bytes(), type=FailedStarts)
        except (OSError, ValueError, RecursionError):
            return FailedStarts()

    def write(self, job: int, failed: FailedStarts) -> None:
        """Remember a job's failed starts. Raises LedgerError."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise LedgerUnusable(f"{self._folder}: can't be made: {error.strerror}") from error
        replace_file(self._path(job), msgspec.json.encode(failed) + b"\n")

    def forget(self, job: int) -> None:
        """A held job begins anew when it is released."""
        with suppress(OSError):
            self._path(job).unlink()

    def forget_old(self) -> None:
        """Remove what is older than a week: nobody will ask for those jobs."""
        now = time.time()
        for path in self._folder.glob("*"):
            with suppress(OSError):
                if now - path.stat().st_mtime > _FORGOTTEN_AFTER:
                    path.unlink()

    def _path(self, job: int) -> Path:
        return self._folder / f"{job}.json"
