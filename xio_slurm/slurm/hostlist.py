"""Slurm's way to write many node names as one: ``xspot-vm-amd-8-gb-1-cores-[1-3,7]``.

python-hostlist expands. Folding is ours: the libraries fold every number of a name, and Slurm before 23.11 reads
no more than the last one folded (pool names hold numbers, so ``a-[8,16]-gb-[1-2]`` would come out).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

import hostlist

from xio_slurm.errors import SlurmError

CHUNK: Final = 500
"""Nodes in one update: an argument stays far below Linux's 128 KiB, and slurmctld's write lock is held shortly."""

# A number with leading zeros isn't folded: its width would have to be kept.
_NUMBERED = re.compile(r"(?P<stem>.*?)(?P<number>0|[1-9][0-9]*)\Z", re.ASCII | re.DOTALL)


def expand(expression: str) -> tuple[str, ...]:
    """The node names of a hostlist expression, in its order, each once. Raises SlurmError for a malformed one."""
    try:
        names = hostlist.expand_hostlist(expression, allow_duplicates=True, sort=False)
    except (hostlist.BadHostlist, ValueError) as error:
        raise SlurmError(f"{expression[:80]!r} is no hostlist: {error}") from error
    return tuple(dict.fromkeys(names))


def fold(nodes: Iterable[str]) -> str:
    """A hostlist expression for the nodes, sorted, folding only the last number of a name: any Slurm reads it."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    plain = []
    for node in sorted(set(nodes)):
        match = _NUMBERED.match(node)
        if match is None or match["stem"].endswith("0"):
            plain.append(node)
        else:
            numbers[match["stem"]].append(int(match["number"]))
    return ",".join(plain + [_bracketed(stem, sorted(found)) for stem, found in numbers.items()])


def chunks(nodes: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The nodes, sorted, in pieces that one update of Slurm takes.

    Sorted, because Slurm 22.05.5 to 22.05.7 sort the names of an update but not the addresses beside them.
    """
    ordered: Sequence[str] = sorted(set(nodes))
    for start in range(0, len(ordered), CHUNK):
        yield tuple(ordered[start : start + CHUNK])


def _bracketed(stem: str, numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"{stem}{numbers[0]}"
    starts = [numbers[0], *(after for before, after in pairwise(numbers) if after != before + 1)]
    ends = [*(before for before, after in pairwise(numbers) if after != before + 1), numbers[-1]]
    ranges = (str(low) if low == high else f"{low}-{high}" for low, high in zip(starts, ends, strict=True))
    return f"{stem}[{','.join(ranges)}]"
