"""A plot with two logarithmic axes, as SVG. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_COLOURS: Final = ("#0b62a4", "#c23b22", "#2e8540", "#8a4fbe", "#b8860b", "#555555")
_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 190, 40, 50

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Axis:
    """From powers of ten to places: ``begin`` is where the power ``low`` is, ``end`` where ``high`` is."""

    low: int
    high: int
    begin: float
    end: float

    @classmethod
    def of(cls, values: Sequence[float], begin: float, end: float) -> "_Axis":
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return cls(low, max(high, low + 1), begin, end)

    def at(self, value: float) -> float:
        return self.begin + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.begin)

    def ticks(self) -> list[tuple[float, str]]:
        return [(self.at(10.0**power), f"{10.0**power:,g}") for power in range(self.low, self.high + 1)]


def plot(title: str, x_title: str, y_title: str, lines: Mapping[str, Sequence[Point]]) -> str:
    """A line for each name. All values are above 0; a name that ends with ``…`` is dashed, and loses that."""
    points = [point for line in lines.values() for point in line]
    across = _Axis.of([x for x, _ in points], _LEFT, _WIDTH - _RIGHT)
    up = _Axis.of([y for _, y in points], _HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_LEFT, 22, title, "font-size='15'"),
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 12, x_title, "text-anchor='middle'"),
        _text(0, 0, y_title, f"text-anchor='middle' transform='translate(16 {_HEIGHT / 2}) rotate(-90)'"),
        *_grid(across, up),
    ]
    for number, (name, line) in enumerate(lines.items()):
        parts += _line(number, name, [(across.at(x), up.at(y)) for x, y in line])
    return "\n".join((*parts, "</svg>")) + "\n"


def _grid(across: _Axis, up: _Axis) -> list[str]:
    style = 'stroke="#dddddd"'
    parts = []
    for place, label in across.ticks():
        parts.append(f'<path d="M{place:.1f} {up.begin}V{up.end}" {style}/>')
        parts.append(_text(place, up.begin + 18, label, "text-anchor='middle'"))
    for place, label in up.ticks():
        parts.append(f'<path d="M{across.begin} {place:.1f}H{across.end}" {style}/>')
        parts.append(_text(across.begin - 8, place + 4, label, "text-anchor='end'"))
    return parts


def _line(number: int, name: str, places: Sequence[Point]) -> list[str]:
    colour = _COLOURS[number % len(_COLOURS)]
    dashed = ' stroke-dasharray="6 4"' if name.endswith("…") else ""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    height = _TOP + 10 + 20 * number
    left = _WIDTH - _RIGHT + 15
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places),
        f'<path d="M{left} {height}h24" stroke="{colour}" stroke-width="2"{dashed}/>',
        _text(left + 30, height + 4, name.rstrip("…")),
    ]


def _text(x: float, y: float, words: str, style: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'
