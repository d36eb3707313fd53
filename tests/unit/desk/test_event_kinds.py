"""docs/events.md says what the code notes: no kind and no field more, and none less."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import xio_slurm
from xio_slurm.desk.event_kinds import COMMON, FIELDS, KINDS
from xio_slurm.desk.event_page import page

PACKAGE = Path(xio_slurm.__file__).parent
DOCS = PACKAGE.parent / "docs"


@dataclass(frozen=True)
class Noted:
    """A call of ``Events.record``."""

    place: str
    kinds: frozenset[str]
    fields: frozenset[str]


def noted() -> list[Noted]:
    """Every such call in the code."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                found += [_noted(call, function, path) for call in _calls(function)]
    return found


def _calls(function: ast.FunctionDef) -> Iterator[ast.Call]:
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "record":
            assert ast.unparse(call.func.value).endswith("events"), ast.unparse(call)
            yield call


def _noted(call: ast.Call, function: ast.FunctionDef, path: Path) -> Noted:
    fields = {keyword.arg for keyword in call.keywords}
    (kind,) = call.args
    if isinstance(kind, ast.Name):  # a word that the function has looked up
        assigned = (each for each in ast.walk(function) if isinstance(each, ast.Assign))
        (kind,) = (each.value for each in assigned if ast.unparse(each.targets[0]) == kind.id)
    words = [kind] if not isinstance(kind, ast.IfExp) else [kind.body, kind.orelse]
    constants = [each for word in words for each in ast.walk(word) if isinstance(each, ast.Constant)]
    kinds = {str(each.value) for each in constants}
    assert kinds, ast.unparse(call)
    assert None not in fields, f"{ast.unparse(call)}: its fields can't be seen here"
    return Noted(f"{path.name}:{call.lineno}", frozenset(kinds), frozenset(filter(None, fields)))


def test_what_is_noted_is_of_a_known_kind_with_its_fields() -> None:
    for each in noted():
        for kind in each.kinds:
            assert kind in KINDS, each
            assert each.fields <= {*KINDS[kind].fields}, each


def test_every_kind_and_every_field_is_noted_somewhere() -> None:
    calls = noted()
    assert len(calls) > 30
    for kind, about in KINDS.items():
        fields = set().union(*(each.fields for each in calls if kind in each.kinds))
        assert fields, kind
        assert {*about.fields} == fields | ({"pool"} if "node" in fields else set()), kind


def test_every_field_is_explained_once() -> None:
    used = {field for about in KINDS.values() for field in about.fields}
    assert used == {*FIELDS}
    assert not used & {*COMMON}


def test_the_committed_page_is_the_one_of_the_code() -> None:
    command = [sys.executable, "-m", "xio_slurm.desk.event_page"]
    made = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert made == page()
    committed = (DOCS / "events.md").read_text(encoding="utf-8")
    assert committed == made, "run 'python -m xio_slurm.desk.event_page > docs/events.md'"
