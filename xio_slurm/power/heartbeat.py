"""Whether ``xio sync`` is at work: it says so after each pass, in ``<state folder>/sync.json``.

Only sync opens a pool again. So whoever takes nodes out of use looks here first: without it they would stay out.
"""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from xio_slurm.private_files import replace_file

_FILE: Final = "sync.json"
_PASSES: Final = 4
_SLACK: Final = 30.0
"""Seconds that a pass may take beyond its interval."""


class Heartbeat(Struct, frozen=True):
    """The last pass: its end in seconds since 1970, which process on which host, and the seconds between two passes."""

    time: float
    pid: int
    host: str
    interval: float

    def is_alive(self, now: float) -> bool:
        """Whether the next pass is to be expected. A time far in the future is a clock that was set back: who knows."""
        return abs(now - self.time) < _PASSES * self.interval + _SLACK


def write(state_dir: str, heartbeat: Heartbeat) -> None:
    """Say that a pass has ended. Raises LedgerError."""
    replace_file(Path(state_dir) / _FILE, msgspec.json.encode(heartbeat) + b"\n")


def read(state_dir: str) -> Heartbeat | None:
    """The last pass; None where there was none, or what is there can't be read."""
    try:
        return msgspec.json.decode((Path(state_dir) / _FILE).read_bytes(), type=Heartbeat)
    except (OSError, ValueError, RecursionError):
        return None


def sync_is_alive(state_dir: str, now: float) -> bool:
    """Whether a sync works on this state folder. ``now`` in seconds since 1970."""
    last = read(state_dir)
    return last is not None and last.is_alive(now)
