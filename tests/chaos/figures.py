"""What a run came to."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Figures:
    """``wrong`` is empty where all is well; ``said`` tells what may be as it is. Seconds for times."""

    counts: dict[str, int | float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def table(self) -> str:
        """One line a figure."""
        width = max(map(len, self.counts))
        return "\n".join(f"{name:<{width}}  {value:>8g}" for name, value in self.counts.items())
