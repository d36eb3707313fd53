"""What a name is the name of: a node, a job or a pool. Pure."""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Final, Literal

from xio_slurm.desk.story.seen import Subject
from xio_slurm.errors import XioError
from xio_slurm.manifest import Manifest
from xio_slurm.naming import node_name, split_node_name

Kind = Literal["node", "job", "pool"]

_JOB: Final = re.compile(r"[1-9][0-9]{0,9}(_[0-9]{1,7})?", re.ASCII)


class UnknownNameError(XioError):
    """Nothing that we know has this name, or more than one thing has it."""


def subject_of(
    name: str, manifest: Manifest, kind: Kind | None = None, *, was_node: Callable[[str], bool] = lambda _: False
) -> Subject:
    """What the name means; ``kind`` settles it. Raises UnknownNameError, with what could be meant.

    ``was_node``: whether it is a node's that the manifest doesn't have any more; asked where it is nothing else's.
    """
    fits: dict[Kind, bool] = {
        "node": manifest.pool_of(name) is not None,
        "pool": name in {pool.name for pool in manifest.pools},
        "job": _JOB.fullmatch(name) is not None,
    }
    found = [each for each, fit in fits.items() if fit and kind in {None, each}]
    if len(found) == 1:
        return Subject(found[0], name)
    if found:
        raise UnknownNameError(f"{name}: is a {' and a '.join(found)}: say which with --as {' or --as '.join(found)}")
    if kind in {None, "node"} and was_node(name):
        return Subject("node", name)
    raise UnknownNameError(f"{name}: {_why_none(name, manifest)}")


def _why_none(name: str, manifest: Manifest) -> str:
    split = split_node_name(manifest.node_prefix, name)
    pools = {pool.name: pool for pool in manifest.pools}
    if split is not None and (pool := pools.get(split[0])) is not None:
        return f"pool {pool.name} has the nodes 1 to {pool.size}: is the manifest older than Slurm's nodes?"
    if "[" in name or "," in name:
        return "name one node, one job or one pool"
    nodes = (node_name(manifest.node_prefix, pool, 1) for pool in pools)
    return f"no node, job or pool has this name{_did_you_mean(name, (*pools, *nodes))}"


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, known, n=3, cutoff=0.7)
    return f": did you mean {' or '.join(close)}?" if close else ": xio pool list shows the pools, squeue the jobs"
