"""Whose nodes those of a call are."""

from collections.abc import Iterable

from msgspec import Struct

from xio_slurm.manifest import Manifest
from xio_slurm.power.outcome import Failed


class Owners(Struct, frozen=True):
    """The nodes of a call, split by who sees to them, in their order."""

    ours: tuple[str, ...]
    others: tuple[str, ...]


def split(manifest: Manifest, nodes: Iterable[str]) -> Owners:
    """Ours are those that a pool of the manifest holds; a name that only begins like ours proves nothing."""
    ours: list[str] = []
    others: list[str] = []
    for node in nodes:
        (others if manifest.pool_of(node) is None else ours).append(node)
    return Owners(tuple(ours), tuple(others))


def nobodys(nodes: Iterable[str]) -> tuple[Failed, ...]:
    """The failures of nodes that aren't ours where no delegated program is configured."""
    text = "no pool of the manifest holds this node, and no delegated program is configured for others"
    return tuple(Failed(node, "unowned", text) for node in nodes)
