"""What Slurm is told of nodes that can't come up: pure.

Equal failures are one update, whatever the number of nodes.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from msgspec import Struct

from xio_slurm.power.failures import TREATMENTS, Node
from xio_slurm.power.outcome import Failed

MAX_REASONS: Final = 4
"""Different reasons told in one call for each state, so that its cost doesn't grow with the nodes."""

_REASON_LENGTH: Final = 200


class Update(Struct, frozen=True):
    """One change of nodes in Slurm."""

    nodes: tuple[str, ...]
    state: str
    reason: str | None


def updates_for(failures: Iterable[Failed]) -> tuple[Update, ...]:
    """What Slurm is told of failed nodes, as their codes' treatments say.

    DOWN requeues the job now instead of at ResumeTimeout, and POWER_DOWN after it ends the powering up: POWER_DOWN
    alone would free nothing on a node that powers up, and DOWN alone would leave it powering up until then.
    POWER_DOWN_FORCE does both, and the node can be taken again at once.
    """
    out: list[Failed] = []
    free: list[Failed] = []
    for failure in failures:
        (out if TREATMENTS[failure.code].node is Node.OUT else free).append(failure)
    down = tuple(Update(nodes, "DOWN", text) for text, nodes in by_reason(out).items())
    power_down = (Update(tuple(failure.node for failure in out), "POWER_DOWN", None),) if out else ()
    return (
        *down,
        *power_down,
        *(Update(nodes, "POWER_DOWN_FORCE", text) for text, nodes in by_reason(free).items()),
    )


def where_force_is_unknown(update: Update) -> tuple[Update, ...]:
    """What does the same as POWER_DOWN_FORCE where Slurm doesn't know it (before 21.08)."""
    return (Update(update.nodes, "DOWN", update.reason), Update(update.nodes, "POWER_DOWN", None))


def by_reason(failures: Collection[Failed]) -> Mapping[str, tuple[str, ...]]:
    """The nodes of each reason. Where they are too many, the different ones of a code become one."""
    reasons = _grouped(failures, lambda failure: reason(failure.code, failure.text))
    if len(reasons) <= MAX_REASONS:
        return reasons
    several = "several failures: see the log"
    texts = {code: {failure.text for failure in failures if failure.code == code} for code in TREATMENTS}
    return _grouped(
        failures, lambda failure: reason(failure.code, failure.text if len(texts[failure.code]) == 1 else several)
    )


def reason(code: str, text: str) -> str:
    """A node's reason: code first, one line, without what Slurm or its readers stumble over (quotes, ``=``)."""
    plain = "".join(char if char.isprintable() and char not in "\"'=\\" else " " for char in text)
    return f"xio:{code} {' '.join(plain.split())}"[:_REASON_LENGTH]


def _grouped(failed: Iterable[Failed], key: Callable[[Failed], str]) -> Mapping[str, tuple[str, ...]]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for failure in failed:
        groups[key(failure)].append(failure.node)
    return {text: tuple(nodes) for text, nodes in groups.items()}
