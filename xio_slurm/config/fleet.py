"""The instance types that a profile's workers may be: which entries the EMS can use, and whose CPUs they have."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from xio_slurm.config.families import Family, Size, find_family, suggest_family
from xio_slurm.config.model import CpuVendor
from xio_slurm.config.nodes import KeyPath
from xio_slurm.config.problems import Problems

_ENTRY: Final = re.compile(r"(?P<family>[a-z][a-z0-9-]*)(?:\.(?P<size>[a-z0-9-]+))?(?::[0-9]{1,4})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Usable:
    """An entry that the EMS can use. ``sizes`` is empty where the family's types aren't known."""

    path: KeyPath
    text: str
    vendor: CpuVendor
    sizes: tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class Fleet:
    """The entries of one pair of lists, without those that were left out."""

    on_demand: tuple[Usable, ...]
    spot: tuple[Usable, ...]

    def sizes(self) -> tuple[Size, ...]:
        """All instance types; none if those of any entry aren't known, since then nothing can be concluded."""
        entries = (*self.on_demand, *self.spot)
        if not all(entry.sizes for entry in entries):
            return ()
        return tuple(dict.fromkeys(size for entry in entries for size in entry.sizes))

    def vendors(self) -> tuple[CpuVendor, ...]:
        """The CPU vendors, that of most entries first."""
        counted = Counter(entry.vendor for entry in (*self.on_demand, *self.spot))
        return tuple(vendor for vendor, _ in counted.most_common())

    def of(self, vendor: CpuVendor) -> "Fleet":
        """The entries of one vendor."""
        return Fleet(
            tuple(entry for entry in self.on_demand if entry.vendor == vendor),
            tuple(entry for entry in self.spot if entry.vendor == vendor),
        )


def read_fleet(path: KeyPath, on_demand: Sequence[str], spot: Sequence[str], problems: Problems) -> Fleet:
    """Check the lists ``InstanceTypes`` and ``SpotFleetTypes`` of what stands at ``path``."""
    return Fleet(
        tuple(_usable((*path, "InstanceTypes"), on_demand, problems, spot=False)),
        tuple(_usable((*path, "SpotFleetTypes"), spot, problems, spot=True)),
    )


def check_vendor(fleet: Fleet, given: CpuVendor | None, problems: Problems) -> CpuVendor | None:
    """The one vendor of a profile's entries; each entry of another is told. None where there is no entry."""
    vendors = fleet.vendors()
    vendor = given or (vendors[0] if vendors else None)
    for entry in (*fleet.on_demand, *fleet.spot):
        if entry.vendor != vendor:
            what = f"{entry.text!r} has CPUs of {entry.vendor}, and this profile is of {vendor}"
            problems.error(entry.path, what, f"move it to a profile of {entry.vendor}")
    return vendor


def check_spot(fleet: Fleet, path: KeyPath, problems: Problems) -> None:
    """Tell a profile that has little chance of spot capacity."""
    place = (*path, "SpotFleetTypes")
    if len(fleet.spot) < 2 and not problems.has_error(place):
        what = "leaves fewer than 2 spot capacity pools" if fleet.spot else "leaves no spot capacity pool"
        problems.warning(place, what, "add families of other generations")


def _usable(path: KeyPath, texts: Sequence[str], problems: Problems, *, spot: bool) -> Iterator[Usable]:
    seen: dict[tuple[str, str | None], str] = {}
    for index, text in enumerate(texts):
        place = (*path, index)
        match = _ENTRY.fullmatch(text)
        if match is None:
            remedy = (
                f"write {text.lower()!r}" if _ENTRY.fullmatch(text.lower()) else "as in c6a, c6a:4 or c6a.8xlarge:4"
            )
            problems.error(place, f"{text!r} isn't <family or type>[:priority]", remedy)
            continue
        family = _family(match["family"], place, problems)
        if family is None or not _has_size(family, match["size"], place, problems):
            continue
        same = seen.get((family.name, match["size"]))
        seen.setdefault((family.name, match["size"]), text)
        if same is not None:
            problems.warning(
                place, f"{text!r} names the same as {same!r} before it, and is left out", "keep one of them"
            )
        elif spot and not family.spot:
            what = f"EC2 has no spot price for {family.name!r}: it is left out here and runs on demand only"
            problems.warning(place, what, "take it out of SpotFleetTypes")
        elif family.vendor != "arm":
            sizes = tuple(size for size in family.sizes if match["size"] in (None, size.name))
            yield Usable(place, text, family.vendor, sizes)


def _family(name: str, place: KeyPath, problems: Problems) -> Family | None:
    family = find_family(name)
    if family is None:
        near = suggest_family(name)
        remedy = f"did you mean {near!r}?" if near else "see the EC2 instance types"
        problems.warning(place, f"there is no EC2 family {name!r} that we know: it is left out", remedy)
    elif family.vendor == "arm":
        problems.error(place, f"{name!r} isn't x86_64, and the EMS runs no other VMs", "take it out")
    return family


def _has_size(family: Family, size: str | None, place: KeyPath, problems: Problems) -> bool:
    sizes = [known.name for known in family.sizes]
    if size is None or size in sizes or not sizes:
        return True
    what = f"there is no EC2 type {family.name}.{size}: it is left out"
    problems.warning(place, what, f"its sizes are {', '.join(sizes)}")
    return False
