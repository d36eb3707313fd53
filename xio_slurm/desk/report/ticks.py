"""Where the axes of charts have their marks, and what stands there. Pure."""

import time
from datetime import datetime, timedelta
from math import ceil, floor, log10
from typing import Final

_DAY: Final = 86_400
_STEPS: Final = (
    *(60 * each for each in (1, 2, 5, 10, 15, 30)),
    *(3600 * each for each in (1, 2, 3, 6, 12)),
    *(_DAY * each for each in (1, 2, 7, 14, 28, 91, 182, 365)),
)
"""Seconds between two marks of time."""


def even_ticks(top: float, most: int) -> tuple[float, ...]:
    """Round numbers from 0 to at least ``top``, at most ``most`` and one more; whole ones, as VMs and boots are."""
    rough = max(top, 1.0) / most
    unit = 10.0 ** floor(log10(rough))
    step = max(1.0, next(unit * each for each in (1, 2, 5, 10) if unit * each >= rough * (1 - 1e-9)))
    return tuple(step * number for number in range(ceil(max(top, 1.0) / step - 1e-9) + 1))


def time_ticks(since: float, until: float, most: int) -> tuple[tuple[float, str], ...]:
    """Times of the local clock and how they are written, at most ``most``: midnights, and hours where they are few."""
    length = until - since
    step = next((each for each in _STEPS if length / each <= most), ceil(length / most / _DAY) * _DAY)
    found: list[tuple[float, str]] = []
    mark = _midnight(since)
    for _ in range(ceil(length / step) + _DAY // min(step, _DAY) + 2):
        moment = mark.timestamp()
        if moment > until:
            break
        if moment >= since:
            found.append((moment, _written(mark, step)))
        mark += timedelta(seconds=step)
    return tuple(found[:most])


def _midnight(moment: float) -> datetime:
    # Without a zone: its steps are those of the wall's clock, also where that is set for summer.
    return datetime(*time.localtime(moment)[:3])  # noqa: DTZ001


def _written(mark: datetime, step: int) -> str:
    return f"{mark.day} {mark:%b}" if step >= _DAY or (mark.hour, mark.minute) == (0, 0) else f"{mark:%H:%M}"
