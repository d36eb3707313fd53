"""The page docs/reasons.md, made from the tables of failed starts.

``python -m xio_slurm.desk.reason_page > docs/reasons.md``
"""

import sys
from collections.abc import Iterator, Mapping
from typing import Final

from xio_slurm.desk.story.failed_starts import MEANINGS, remedy
from xio_slurm.power.failures import TREATMENTS, Node, Scope, Treatment

_INTRODUCTION: Final = """\
# Reasons in Slurm

<!-- Made from the code's own tables by 'python -m xio_slurm.desk.reason_page': change those, not this. -->

Where a node can't come up, xio-slurm tells Slurm why. These are the places where it is read:

| Where | What stands there |
| --- | --- |
| `sinfo -R`, `scontrol show node` | a node's reason: `xio:<code>` and the words of whoever said no |
| `scontrol show job` | a job's AdminComment; somebody else's is left alone |
| the terminal of an `srun` or `salloc` | `xio:<code> a node of this job can't come up: …` |

The comment is `xio: <code> failed start 2 of 5: …`, and at the last of them, when the job is held,
`xio: <code> held after 5 failed starts: …`; `scontrol release` then tries again.

`xio explain` says the same of a job, a node or a pool, with what happened before. An administrator's reason is never
overwritten, and a node that bears one is left as it is. A drained node of a pool that somebody closed by hand
(`xio pool close`) has `xio:administrator` and that one's words.

A node that failed is out of use until it has been powered down and its pool is open; then `xio sync` gives it back.
A job that lost its start waits again at once, and doesn't count the time. [What is decided](decisions.md#failed-starts)
has the same as a table, with the reasons.
"""

_NODE: Final[Mapping[Node, str]] = {
    Node.OUT: "the node is out of use until it is powered down and its pool is open",
    Node.FREE: "the node is free again as soon as it is powered down",
}

_POOLS: Final[Mapping[Scope, str]] = {
    Scope.NONE: "",
    Scope.POOL: "its pool closes for a while, and jobs go elsewhere",
    Scope.ALL: "all pools close until the EMS answers",
}

_BOOT: Final = "after `BootFailures` of them in a row its pool closes until `xio pool open`"


def page() -> str:
    """The whole page."""
    return "\n".join((_INTRODUCTION, *(line for code, each in TREATMENTS.items() for line in _reason(code, each))))


def _reason(code: str, treatment: Treatment) -> Iterator[str]:
    yield f"## xio:{code}\n"
    yield f"- What happened: {MEANINGS[code]}."
    yield f"- By itself: {'; '.join(filter(None, _by_itself(code, treatment)))}."
    yield from (f"- To do: {_with_code(line)}." for line in remedy(code, "NODE", "POOL"))
    yield ""


def _by_itself(code: str, treatment: Treatment) -> Iterator[str]:
    yield _NODE[treatment.node]
    yield _BOOT if code == "boot" else _POOLS[treatment.closes]
    waits = f" after {treatment.delay:g} s at least" if treatment.delay else ""
    counts = "this counts as a failed start of it" if treatment.counts else "this is no failed start of it"
    yield f"its job begins again{waits}, and {counts}"


def _with_code(line: str) -> str:
    """The command that a line ends with, as code."""
    words, found, command = line.partition(": xio ")
    return f"{words}: `xio {command}`" if found else words


if __name__ == "__main__":
    sys.stdout.write(page())
