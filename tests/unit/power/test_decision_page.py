"""docs/decisions.md says what the code decides."""

import re
import subprocess
import sys
from enum import Enum
from itertools import chain, product
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from xio_slurm.power.decide import RESUME_TABLE, SUSPEND_TABLE, Called
from xio_slurm.power.decision_page import COLUMNS, MEANINGS, page
from xio_slurm.power.decisions import CONFIRMED, NODE_TABLE, VM_TABLE
from xio_slurm.power.failures import TREATMENTS
from xio_slurm.power.situation import Situation
from xio_slurm.power.table import Table

DOCS = Path(__file__).resolve().parents[3] / "docs"
TABLES: tuple[Table[Any], ...] = (RESUME_TABLE, SUSPEND_TABLE, VM_TABLE, NODE_TABLE)


def test_the_committed_page_is_the_one_of_the_code() -> None:
    command = [sys.executable, "-m", "xio_slurm.power.decision_page"]
    made = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert made == page()
    committed = (DOCS / "decisions.md").read_text(encoding="utf-8")
    assert committed == made, "run 'python -m xio_slurm.power.decision_page > docs/decisions.md'"


def rows_below(title: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    (section,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page(), re.MULTILINE | re.DOTALL)
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [line.strip("|").split("|") for line in lines[2:]]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.title)
def test_every_row_is_told_in_its_order_with_what_is_done_and_why(table: Table[Any]) -> None:
    told = rows_below(table.title)
    assert [cells[-1].strip() for cells in told] == [row.why for row in table]
    for cells, row in zip(told, table, strict=True):
        assert str(row.then.value) in cells[-2]
        assert ("²" in cells[-2]) is (row.then in CONFIRMED)
        assert sum(1 for cell in cells[1:-2] if cell.strip()) == len(row.when)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.title)
def test_no_column_is_empty(table: Table[Any]) -> None:
    columns = list(zip(*rows_below(table.title), strict=True))
    assert all(any(cell.strip() for cell in column) for column in columns)


def test_every_failure_is_told() -> None:
    assert [cells[0].strip() for cells in rows_below("Failed starts")] == [f"`xio:{code}`" for code in TREATMENTS]


def test_every_condition_has_a_column_and_every_word_of_it_is_told() -> None:
    assert set(COLUMNS) == {field.name for cls in (Situation, Called) for field in structs.fields(cls)}
    words = {value for _, kind, _ in COLUMNS.values() for value in kind}
    assert set(MEANINGS) <= words
    texts: list[str] = [str(value.value) for value in words] + list(MEANINGS.values())
    assert not any(character in text for text in texts for character in "|\n")


@pytest.mark.parametrize("table", [RESUME_TABLE, SUSPEND_TABLE], ids=lambda table: table.title)
def test_every_row_of_the_programs_tables_decides_something(table: Table[Any]) -> None:
    kinds: list[type[Enum]] = [COLUMNS[field.name][1] for field in structs.fields(Called)]
    decided = {table.decide(Called(*values)).why for values in product(*kinds)}  # type: ignore[arg-type]  # of each kind
    assert decided == {row.why for row in chain(table)}
