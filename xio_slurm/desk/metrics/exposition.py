"""Metrics as text. Pure.

Two readers disagree about counters. OpenMetrics types the family ``xio_asked``, whose sample is ``xio_asked_total``;
Prometheus's older text format, which node_exporter and ``promtool check metrics`` read, types ``xio_asked_total``
itself. So the text for both leaves a counter's type out, which both allow; who asks for OpenMetrics gets it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

TYPED: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Sample:
    """One number. ``suffix`` is what follows the family's name: ``_total``, ``_bucket`` …"""

    suffix: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Family:
    """All numbers of one name, and what they mean."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    text: str
    samples: tuple[Sample, ...]


def exposition(families: Iterable[Family], *, typed: bool = False) -> str:
    """The text. ``typed``: for readers of OpenMetrics alone."""
    return "".join(f"{line}\n" for family in families for line in _lines(family, typed=typed)) + "# EOF\n"


def number(value: float) -> str:
    """A number as both formats have it."""
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def _lines(family: Family, *, typed: bool) -> Iterator[str]:
    untyped = family.kind == "counter" and not typed
    yield f"# HELP {family.name}{'_total' if untyped else ''} {_escaped(family.text)}"
    if not untyped:
        yield f"# TYPE {family.name} {family.kind}"
    for sample in family.samples:
        labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels.items())
        yield f"{family.name}{sample.suffix}{f'{{{labels}}}' if labels else ''} {number(sample.value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
