"""The charts of a report, as inline SVG that the page's style sheet colours. Pure.

A chart is drawn as wide as it is shown, so that its text has the page's size on a phone, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from xio_slurm.desk.report.figures import BINS, Load, Period
from xio_slurm.desk.report.ticks import even_ticks, time_ticks
from xio_slurm.desk.report.words import number, seconds

_CHARACTER: Final = 6.6
"""Widest that a digit is at 11 px: labels are kept apart by it."""

_TOP, _BOTTOM, _RIGHT, _GAP = 14, 22, 10, 6


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a chart's values go: ``top`` is the value at the upper edge."""

    width: int
    height: int
    left: float
    top: float

    @classmethod
    def of(cls, width: int, height: int, marks: Sequence[float]) -> "_Frame":
        left = max(len(number(mark)) for mark in marks) * _CHARACTER + _GAP + 2
        return cls(width, height, left, marks[-1])

    @property
    def base(self) -> float:
        return self.height - _BOTTOM

    @property
    def right(self) -> float:
        return self.width - _RIGHT

    def x(self, part: float) -> float:
        return self.left + part * (self.right - self.left)

    def y(self, value: float) -> float:
        return self.base - value / self.top * (self.base - _TOP)


def vms_chart(name: str, title: str, period: Period, load: Load, *, width: int, height: int) -> str:
    """VMs over time: an area for the averages, a line for the most at a time. No other chart has this ``name``."""
    marks = even_ticks(load.peak, max(2, height // 45))
    frame = _Frame.of(width, height, marks)
    highest = max(range(BINS), key=lambda index: load.most[index])
    about = (
        f"On average {load.hours * 3600 / (period.until - period.since):.3g} VMs, "
        f"{load.peak} at a time at most, {load.hours:.3g} VM-hours."
    )
    parts = [*_grid(frame, marks), *_times(frame, period)]
    if load.vms:
        parts += [
            f'<path class="area" d="{_area(frame, load.average)}"/>',
            f'<path class="most" d="{_outline(frame, load.most)}"/>',
            f'<circle class="dot" cx="{frame.x((highest + 0.5) / BINS):.1f}" cy="{frame.y(load.peak):.1f}" r="2.5"/>',
        ]
    return _svg(name, title, about, frame, parts)


def boots_chart(
    name: str, title: str, steps: Sequence[float], counts: Sequence[int], *, p50: float, p95: float, width: int
) -> str:
    """A histogram of boot times, with lines at its quantiles."""
    marks = even_ticks(max(counts), 3)
    frame = _Frame.of(width, 150, marks)
    step, bars = steps[0], len(counts)
    wide = (frame.right - frame.left) / bars
    parts = list(_grid(frame, marks))
    for index, count in enumerate(counts):
        high = frame.base - frame.y(count)
        over = index == len(steps)
        words = f"more than {seconds(steps[-1])}" if over else f"up to {seconds(steps[index])}"
        parts.append(
            f'<rect class="bar{" over" if over else ""}" data-count="{count}" x="{frame.x(index / bars) + 0.5:.2f}" '
            f'y="{frame.y(count):.2f}" width="{max(0.5, wide - 1):.2f}" height="{high:.2f}">'
            f"<title>{escape(words)}: {count}</title></rect>"
        )
    for value, label in ((p50, "p50"), (p95, "p95")):
        place = frame.x(min(value / step, bars - 0.5) / bars)
        parts.append(f'<path class="mark {label}" d="M{place:.1f} {frame.base:.1f}V{_TOP}"/>')
    every = next(each for each in (1, 2, 3, 5, 10, 20) if bars / each * 44 <= frame.right - frame.left or each == 20)
    labels = [(frame.x(index / bars), seconds(step * index)) for index in range(0, bars, every)]
    parts += _labels(frame, labels)
    about = f"{sum(counts)} boots: half took {seconds(p50)} or less, 95 of 100 {seconds(p95)} or less."
    return _svg(name, title, about, frame, parts)


def _svg(name: str, title: str, about: str, frame: _Frame, parts: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{name}-t {name}-d" '
        f'viewBox="0 0 {frame.width} {frame.height}" width="{frame.width}" height="{frame.height}">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(about)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def _grid(frame: _Frame, marks: Sequence[float]) -> Iterable[str]:
    for mark in marks:
        place = frame.y(mark)
        kind = "grid" if mark else "base"
        yield f'<path class="{kind}" d="M{frame.left:.1f} {place:.1f}H{frame.right:.1f}"/>'
        yield f'<text x="{frame.left - _GAP:.1f}" y="{place + 4:.1f}" text-anchor="end">{number(mark)}</text>'


def _times(frame: _Frame, period: Period) -> Iterable[str]:
    length = period.until - period.since
    marks = time_ticks(period.since, period.until, max(2, int((frame.right - frame.left) / 62)))
    return _labels(frame, [(frame.x((mark - period.since) / length), words) for mark, words in marks])


def _labels(frame: _Frame, labels: Iterable[tuple[float, str]]) -> Iterable[str]:
    """Below the chart, each that has room; its mark stays."""
    free = 0.0
    for place, words in labels:
        yield f'<path class="tick" d="M{place:.1f} {frame.base:.1f}v4"/>'
        half = len(words) * _CHARACTER / 2
        if place - half >= free and place + half <= frame.width:
            free = place + half + _GAP
            yield f'<text x="{place:.1f}" y="{frame.base + 17:.1f}" text-anchor="middle">{escape(words)}</text>'


def _outline(frame: _Frame, values: Sequence[float]) -> str:
    """Steps: a value holds for its whole part. Equal ones are one step."""
    path = f"M{frame.x(0):.1f} {frame.y(values[0]):.1f}"
    for index in range(1, len(values)):
        if values[index] != values[index - 1]:
            path += f"H{frame.x(index / len(values)):.1f}V{frame.y(values[index]):.1f}"
    return f"{path}H{frame.x(1):.1f}"


def _area(frame: _Frame, values: Sequence[float]) -> str:
    return f"{_outline(frame, values)}V{frame.base:.1f}H{frame.x(0):.1f}Z"
