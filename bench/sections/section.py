"""What a section of the page is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.ratio import Goal


@dataclass(frozen=True, slots=True)
class Section:
    """Markdown below a heading. ``plots``: SVG by name, which the text shows with ``picture``."""

    title: str
    text: str
    goals: tuple[Goal, ...]
    plots: Mapping[str, str] = field(default_factory=dict)


def picture(name: str, about: str) -> str:
    """The Markdown that shows a plot."""
    return f"![{about}](performance/{name}.svg)"
