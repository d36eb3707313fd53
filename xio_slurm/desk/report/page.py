"""The page that shows the figures: one HTML file that needs nothing else, and no script."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from xio_slurm import __version__
from xio_slurm.desk.report import svg, words
from xio_slurm.desk.report.figures import BINS, Figures, PoolFigures

_TEMPLATE: Final = Path(__file__).with_name("page.html.j2")

_CHARTED: Final = 12
"""Pools with charts of their own; the tables have all."""

_WIDE, _NARROW = 1000, 320
_ROWS: Final = 14
"""Of the table that says over time what the chart shows."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A part of the period."""

    since: str
    until: str
    average: float
    most: int


def page(figures: Figures) -> str:
    """The whole of it. Everything from events is escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "number": words.number,
        "seconds": words.seconds,
        "moment": words.moment,
    }
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(_context(figures))


def _context(figures: Figures) -> dict[str, Any]:
    shown = [pool for pool in figures.pools if not pool.quiet]
    busy = [pool for pool in shown if pool.load.vms][:_CHARTED]
    booted = [pool for pool in shown if pool.boots][:_CHARTED]
    total = figures.total
    return {
        "figures": figures,
        "total": total,
        "version": __version__,
        "zone": words.zone(figures.now),
        "shown": shown,
        "quiet": [pool.pool for pool in figures.pools if pool.quiet],
        "unpriced": [pool.pool for pool in shown if pool.price is None and pool.load.vms],
        "wide": _vms(figures, total, "all-wide", _WIDE, 260),
        "narrow": _vms(figures, total, "all-narrow", _NARROW, 200),
        "by_pool": [(pool, _vms(figures, pool, f"vms-{index}", _NARROW, 140)) for index, pool in enumerate(busy)]
        if len(busy) > 1
        else [],
        "left_out": max(0, sum(1 for pool in shown if pool.load.vms) - _CHARTED),
        "boots": [(pool, _boots(figures, pool, f"boots-{index}")) for index, pool in enumerate(booted)],
        "all_boots": _boots(figures, total, "boots-all") if len(booted) > 1 else None,
        "rows": _rows(figures),
        "steps": _steps(figures),
        "amount": words.amount,
        "most_hours": max((pool.load.hours for pool in shown), default=0.0),
        "most_failures": max((kind.count for kind in figures.kinds), default=0),
    }


def _vms(figures: Figures, pool: PoolFigures, name: str, width: int, height: int) -> Markup:
    title = f"VMs of pool {pool.pool} over time" if pool.pool else "VMs of all pools over time"
    return Markup(svg.vms_chart(name, title, figures.period, pool.load, width=width, height=height))  # noqa: S704


def _boots(figures: Figures, pool: PoolFigures, name: str) -> Markup:
    boots = pool.boots
    if boots is None:
        return Markup()
    title = f"Boot times of pool {pool.pool}" if pool.pool else "Boot times of all pools"
    chart = svg.boots_chart(name, title, figures.steps, pool.histogram, p50=boots.p50, p95=boots.p95, width=_NARROW)
    return Markup(chart)  # noqa: S704  the charts escape what they are given


def _rows(figures: Figures) -> list[_Row]:
    load, period, size = figures.total.load, figures.period, BINS // _ROWS
    return [
        _Row(
            words.moment(period.since + first * period.width),
            words.moment(period.since + (first + size) * period.width),
            sum(load.average[first : first + size]) / size,
            max(load.most[first : first + size]),
        )
        for first in range(0, BINS, size)
    ]


def _steps(figures: Figures) -> list[tuple[str, int]]:
    """The bars of all pools' histogram in words."""
    ends = [words.seconds(step) for step in figures.steps]
    if not ends:
        return []
    return list(zip([*(f"up to {end}" for end in ends), f"more than {ends[-1]}"], figures.total.histogram, strict=True))
