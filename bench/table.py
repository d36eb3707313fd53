"""Figures as words, and words as a table of Markdown. Pure."""

from collections.abc import Iterable, Sequence


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column is words, the others are figures."""
    rules = ("---", *("--:" for _ in titles[1:]))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (titles, rules, *rows))


def seconds(value: float) -> str:
    """Three figures at most: ``62 ms``, ``1.25 s``, ``63.1 s``, ``2,150 s``."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:,.{max(0, 2 - (value >= 10) - (value >= 100))}f} s"


def times(value: float | None) -> str:
    """A ratio; a dash where there is none."""
    return "-" if value is None else f"{value:,.2f} x" if value < 100 else f"{value:,.0f} x"


def quantity(value: float | None, unit: str) -> str:
    """A figure with its unit, of any kind."""
    if value is None:
        return "-"
    if unit == "s":
        return seconds(value) if value >= 0 else f"-{seconds(-value)}"
    return (f"{value:,.2f} {unit}" if value < 100 else f"{value:,.0f} {unit}").strip()
