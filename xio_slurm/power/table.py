"""Tables of decisions: the first row whose conditions hold decides, and says why.

A table is data, so that its page in the documentation is made from it, and a test can try every situation there is.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Generic, TypeVar

from msgspec import Struct

Action = TypeVar("Action", bound=Enum)


class Row(Struct, Generic[Action], frozen=True):
    """``when`` names attributes of a situation, each with the values that it may have; others may have any."""

    then: Action
    why: str
    when: Mapping[str, frozenset[Enum]]

    def holds(self, situation: object) -> bool:
        """Whether this row is about the situation."""
        return all(getattr(situation, name) in values for name, values in self.when.items())


class Decision(Struct, Generic[Action], frozen=True):
    """What is done, and why."""

    action: Action
    why: str


class Table(Struct, Generic[Action], frozen=True, eq=False):
    """Rows in their order; the last has no conditions, so that there is an answer to everything."""

    title: str
    about: str
    rows: tuple[Row[Action], ...]
    _decided: dict[object, Decision[Action]] = {}  # each table's own

    def decide(self, situation: object) -> Decision[Action]:
        """What the first row says that holds. Ten thousand nodes are in some dozens of situations."""
        decided = self._decided.get(situation)
        if decided is None:
            row = next(row for row in self.rows if row.holds(situation))
            decided = self._decided[situation] = Decision(row.then, row.why)
        return decided

    def __iter__(self) -> Iterator[Row[Action]]:
        return iter(self.rows)


def row(then: Action, why: str, **when: Enum | tuple[Enum, ...]) -> Row[Action]:
    """A row, with one value or some for each attribute that matters."""
    sets = {name: frozenset(values if isinstance(values, tuple) else (values,)) for name, values in when.items()}
    return Row(then, why, sets)
