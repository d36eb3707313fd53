"""Names that may be given once only."""

from collections.abc import Iterable

from xio_slurm.config.nodes import KeyPath
from xio_slurm.config.problems import Problems


def check_unique(kind: str, named: Iterable[tuple[KeyPath, str]], problems: Problems) -> None:
    """Tell every name that is there twice, upper and lower case being the same: host names don't tell them apart."""
    first: dict[str, str] = {}
    for path, name in named:
        if problems.has_error(path):
            continue
        before = first.get(name.lower())
        if before is None:
            first[name.lower()] = name
        else:
            same = "is there twice" if before == name else f"differs from {before!r} only in case"
            problems.error(path, f"the {kind} name {name!r} {same}", f"give each {kind} a name of its own")
