"""Figures as words, tables and plots."""

import xml.etree.ElementTree as ET

import pytest

from bench.plot import plot
from bench.table import quantity, seconds, table, times


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0624, "62 ms"), (1.25, "1.25 s"), (63.14, "63.1 s"), (250, "250 s"), (2150, "2,150 s")],
)
def test_seconds_have_three_figures(value: float, words: str) -> None:
    assert seconds(value) == words


def test_what_there_is_no_figure_for_is_a_dash() -> None:
    assert (times(None), quantity(None, "s")) == ("-", "-")


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [(0.25, "s", "250 ms"), (-0.25, "s", "-250 ms"), (287.4, "MiB", "287 MiB"), (1.034, "", "1.03")],
)
def test_a_figure_has_its_unit(value: float, unit: str, words: str) -> None:
    assert quantity(value, unit) == words


def test_a_table() -> None:
    assert table(("", "A"), [("x", "1")]) == "|  | A |\n| --- | --: |\n| x | 1 |"


def test_a_plot_has_each_line_where_its_values_are() -> None:
    drawn = ET.fromstring(plot("T", "nodes", "seconds", {"a": [(1, 0.1), (10, 1), (100, 10)], "b <…": [(1, 10)]}))  # noqa: S314
    lines = drawn.findall("{*}polyline")
    assert lines[0].attrib["points"] == "70.0,350.0 300.0,195.0 530.0,40.0"
    assert ["stroke-dasharray" in line.attrib for line in lines] == [False, True]
    assert "b <" in [text.text for text in drawn.findall("{*}text")]
