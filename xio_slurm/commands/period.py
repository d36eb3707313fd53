"""Times as people give them to a command: so long ago, or a date."""

import re
from datetime import datetime
from typing import Final

import click

_AGO: Final = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?) ?([smhdw])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_LATEST: Final = 4_102_444_800.0
"""The year 2100."""


def time_of(words: str, now: float, option: str) -> float:
    """The time in seconds since 1970: ``90m``, ``24h`` and ``7d`` are so long before now, all else is ISO 8601.

    Without a zone it is the local clock's. Raises click.UsageError, which names the option.
    """
    if (ago := _AGO.fullmatch(words.strip())) is not None:
        return max(0.0, now - float(ago[1]) * _SECONDS[ago[2]])
    try:
        moment = datetime.fromisoformat(words.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        raise click.UsageError(f"{option} {words!r} is no time: write 90m, 24h, 7d or 2026-11-22T09:00") from None
    if not 0 <= moment <= _LATEST:
        raise click.UsageError(f"{option} {words!r} is no time from 1970 to 2100")
    return moment
