"""What the EMS says of a VM, fit to be shown: without its user data, and bounded whatever came."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from xio_slurm.plain_text import printable
from xio_slurm.secret_fields import masked

_DEPTH: Final = 8
_WIDTH: Final = 200
_LINES: Final = 100


def shown(value: Any, depth: int = _DEPTH) -> Any:
    """A JSON value as it is, but for secrets, and for what lies deeper than anybody reads."""
    return masked(_shallow(value, depth))


def _shallow(value: Any, depth: int) -> Any:
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        return "…"
    if isinstance(value, list):
        return [_shallow(each, depth - 1) for each in value]
    return {key: _shallow(each, depth - 1) for key, each in value.items()}


def lines(answer: Mapping[str, Any] | None) -> Iterator[str]:
    """An answer as lines for people, ``Vm.PrivateIpAddress: 10.0.0.1``; at most 100, each short and printable."""
    for number, (key, value) in enumerate(_flat(shown(answer or {}), "")):
        if number == _LINES:
            yield "… (--json shows all)"
            return
        text = printable(f"{key}: {value}")
        yield text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


def _flat(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, each in value.items():
            yield from _flat(each, f"{key}.{name}" if key else name)
    elif isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        for number, each in enumerate(value):
            yield from _flat(each, f"{key}[{number}]")
    elif isinstance(value, list):
        yield key, ", ".join(str(each) for each in value)
    else:
        yield key, "" if value in (None, {}) else value
