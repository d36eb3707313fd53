"""A measurement's result, as it lies in bench/results."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar

FOLDER: Final = Path(__file__).parent / "results"

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Result:
    """What one measurement gave. ``rows`` are those of bench/figures.py, ``machine`` is the kind of machine.

    ``quick``: fewer nodes and repetitions than the goals are about. ``seconds``: how long it took.
    """

    name: str
    quick: bool
    seconds: float
    machine: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]

    def of(self, kind: type[Row]) -> tuple[Row, ...]:
        """The rows as what they are."""
        return tuple(kind(**row) for row in self.rows)

    def write(self, folder: Path = FOLDER) -> None:
        """Write it to ``folder/NAME.json``."""
        text = json.dumps(asdict(self), indent=1) + "\n"
        (folder / f"{self.name}.json").write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, name: str, folder: Path = FOLDER) -> Self | None:
        """The result as it was written, or None where there is none."""
        path = folder / f"{name}.json"
        return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
