"""The EC2 instance families: who made the CPU, whether there is a spot price, how large their types are.

The table is a file of ours and not a question to AWS, so that a configuration can be checked anywhere, without
credentials. A family that is newer than the table is told as unknown.
"""

import difflib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

Vendor = Literal["amd", "intel", "arm"]

_VENDORS: Final[dict[str, Vendor]] = {"amd": "amd", "intel": "intel", "arm": "arm"}
_SIZE: Final = re.compile(r"(?:metal-)?(\d*)x(?:large|l)")
_MIB_PER_GIB: Final = 1024


@dataclass(frozen=True, slots=True)
class Size:
    """One instance type of a family. Memory in MiB."""

    name: str
    vcpus: int
    cores: int
    memory: int


@dataclass(frozen=True, slots=True)
class Family:
    """A family. ``sizes`` is empty where only its existence is known."""

    name: str
    vendor: Vendor
    spot: bool
    sizes: tuple[Size, ...]


def find_family(name: str) -> Family | None:
    """The family of that name, or None for one that the table doesn't have."""
    return _table().get(name)


def suggest_family(name: str) -> str | None:
    """The x86_64 family whose name is nearest to one that doesn't exist (``xidn``: ``x2idn``)."""
    usable = [family.name for family in _table().values() if family.vendor != "arm"]
    near = difflib.get_close_matches(name, usable, n=1, cutoff=0.5)
    return near[0] if near else None


@cache
def _table() -> dict[str, Family]:
    text = Path(__file__).with_name("families.txt").read_text(encoding="utf-8")
    rows = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {family.name: family for row in rows for family in _read_row(row)}


def _read_row(row: str) -> list[Family]:
    names, vendor, threads, gib_per_vcpu, market, sizes = (column.strip() for column in row.split(":"))
    read: list[Size] = []
    for text in sizes.split():
        read.append(_read_size(text, int(threads), float(gib_per_vcpu), read))
    return [Family(name, _VENDORS[vendor], market == "spot", tuple(read)) for name in names.split()]


def _read_size(text: str, threads: int, gib_per_vcpu: float, before: list[Size]) -> Size:
    name, _, exception = text.partition("=")
    if exception:
        count, gib = exception.split("/")
        vcpus, memory = int(count), float(gib) * _MIB_PER_GIB
    elif name == "metal":
        vcpus, memory = before[-1].vcpus, before[-1].memory
    else:
        vcpus = _vcpus(name)
        memory = vcpus * gib_per_vcpu * _MIB_PER_GIB
    return Size(name, vcpus, max(vcpus // threads, 1), int(memory))


def _vcpus(name: str) -> int:
    if name in ("medium", "large"):
        return {"medium": 1, "large": 2}[name]
    match = _SIZE.fullmatch(name)
    if match is None:
        raise ValueError(f"families.txt: no size is called {name!r}")
    return 4 * int(match[1] or 1)
