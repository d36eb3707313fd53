"""Runs a page on a machine of its own, from a test."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.documentation.pages import PAGES

TREE: Final = Path(__file__).parents[2]
_SECONDS: Final = 1200.0
_OWN: Final = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")


def group_test(group: str) -> Callable[[str], None]:
    """The test of its pages. Groups are files of tests, so that they run side by side."""

    @pytest.mark.timeout(_SECONDS + 10)
    @pytest.mark.parametrize("page", [name for name, page in PAGES.items() if page.group == group])
    def test(page: str) -> None:
        wrong = run_page(page)
        assert not wrong, wrong

    return test


def run_page(name: str, text: str | None = None) -> str:
    """Type all commands of a page; ``text`` is read in place of it. What was wrong with them, empty if nothing."""
    if os.geteuid() != 0:
        pytest.skip("NOT RUN: the documentation's commands are an administrator's: run this as root")
    may = subprocess.run((*_OWN, "true"), capture_output=True, text=True, check=False)
    if may.returncode != 0:
        pytest.skip(f"NOT RUN: the documentation's commands need namespaces of their own: {may.stderr.strip()}")
    arguments = (sys.executable, "-m", "tests.documentation", name)
    ended = subprocess.run(
        (*_OWN, TREE / "tests" / "documentation" / "machine.sh", TREE, *arguments),
        input=text if text is not None else (TREE / name).read_text(encoding="utf-8"),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return "" if ended.returncode == 0 else ended.stderr or f"{name}: exit code {ended.returncode}"
