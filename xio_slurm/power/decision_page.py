"""The page docs/decisions.md, made from the very tables that decide.

``python -m xio_slurm.power.decision_page > docs/decisions.md``
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from itertools import chain
from typing import Any, Final

from xio_slurm.markdown import table
from xio_slurm.power.decide import RESUME_TABLE, SUSPEND_TABLE, Call, Turn
from xio_slurm.power.decisions import CONFIRMED, NODE_TABLE, VM_TABLE
from xio_slurm.power.failures import TREATMENTS, Node, Treatment
from xio_slurm.power.situation import Age, Answering, Gate, Held, Known, Power, Reserved, Seen
from xio_slurm.power.table import Row, Table

_INTRODUCTION: Final = """\
# What is decided, and why

<!-- Made from the code's own tables by 'python -m xio_slurm.power.decision_page': change those, not this. -->

What xio-slurm does about a node and its VM, these tables say: the programs that Slurm calls ask two of them, `xio sync`
the other two. A test tries every combination of what they ask for, and another one keeps this page equal to them.

Read a table from above: **the first row that fits decides**. A cell that is empty fits everything, and one with several
words fits each of them. What is done is in bold; **²** stands where it is done only when two looks, some time apart
(`OrphanGrace`), say the same: one look at two systems can fall between their steps.
"""

_FAILURES: Final = """\
## Failed starts

What follows when a node can't come up. The code is what its reason in Slurm begins with (`sinfo -R`). *Counts* says
whether it is one of the failed starts (`FailedStarts`) after which a job is held. *The job waits* for so long at
least before it may begin again; Slurm itself would have it wait two minutes.

A pool that closes stays so for `CloseSeconds`, and twice as long each time that it fails again, up to
`LongestCloseSeconds`; then one node is let through. One that closed since so many VMs in a row never came up
(`BootFailures`), or that was closed by hand, stays closed until `xio pool open`.
"""

COLUMNS: Final[Mapping[str, tuple[str, type[Enum], str]]] = {
    "call": ("Called later", Call, "whether a program was called for the node after this one"),
    "power": ("Slurm has the node", Power, "by its power flags"),
    "vm": ("VM", Seen, "whether the EMS lists a VM of the node's name"),
    "known": ("Ledger", Known, "what it says of the node's VM"),
    "turn": ("Turn", Turn, "of the node, in which its VM was asked for"),
    "age": ("Age", Age, "since the VM was asked for, or since its end was"),
    "held": ("Out of use by", Held, "who set the node DOWN, DRAIN or FAIL, by its reason"),
    "gate": ("Pool", Gate, "whether it takes jobs"),
    "reserved": ("Reserved", Reserved, "whether it is in a reservation that is active"),
    "answering": ("slurmd answers", Answering, "as far as Slurm knows"),
}
"""Titles of the attributes of a situation, and what they are about."""

MEANINGS: Final[Mapping[Enum, str]] = {
    Power.OFF: "and no job was given it",
    Power.CHOSEN: "a job was given it, or somebody wants it up",
    Power.POWERING_UP: "xio-resume was called for it",
    Power.POWERING_DOWN: "or it was asked to",
    Power.ABSENT: "it was, and slurm.conf doesn't name it any more",
    Seen.UNKNOWN: "the list failed, or isn't whole",
    Known.NEVER: "these programs have never seen to the node",
    Known.ASKING: "the EMS was asked for it, and its answer isn't known",
    Known.OURS: "the EMS said yes",
    Known.DELETING: "it is to be gone, and isn't seen gone yet",
    Known.GONE: "the node has no VM of ours",
    Known.LATE: "a request was never answered: what appears is ours",
    Known.FOREIGN: "a VM of this name is another's",
    Known.DAMAGED: "the file is damaged, or of another version",
    Turn.EARLIER: "longer than ResumeTimeout ago",
    Age.FRESH: "less than `OrphanGrace`: a program may be at it",
    Age.GROWN: "also where the ledger tells no time",
    Age.OVERDUE: "longer than `BootTimeout`",
    Held.XIO: "the reason begins with `xio:`",
    Held.TIMEOUT: "Slurm: it didn't come up in time",
    Held.REGISTRATION: "Slurm: it has less than slurm.conf says",
    Held.SLURM: "Slurm: it was lost, or rebooted",
    Held.ADMINISTRATOR: "any other reason, maintenance or a reboot: it stands",
    Gate.HALF_OPEN: "one node is let through, to see",
    Gate.CLOSED: "jobs are to go elsewhere: its idle nodes are drained",
}
"""What the words mean, where they don't say it themselves."""


def page() -> str:
    """The whole page."""
    return "\n".join((_INTRODUCTION, *_words(), *_tables(), *_failures()))


def _tables() -> Iterator[str]:
    for decisions in (RESUME_TABLE, SUSPEND_TABLE, VM_TABLE, NODE_TABLE):
        yield from _decisions(decisions)


def _words() -> Iterator[str]:
    yield "## The words\n"
    rows = (_word(title, about, kind) for title, kind, about in COLUMNS.values())
    yield table(("Column", "Word", "Meaning"), chain.from_iterable(rows))


def _word(title: str, about: str, kind: type[Enum]) -> Iterator[tuple[str, ...]]:
    yield f"**{title}**", "", about
    for value in kind:
        if (meaning := MEANINGS.get(value)) is not None:
            yield "", str(value.value), meaning


def _decisions(decisions: Table[Any]) -> Iterator[str]:
    used = [name for name in COLUMNS if any(name in row.when for row in decisions)]
    yield f"## {decisions.title}\n\n{decisions.about}\n"
    titles = ("", *(COLUMNS[name][0] for name in used), "→", "Why")
    yield table(titles, (_decision(number, row, used) for number, row in enumerate(decisions, start=1)))


def _decision(number: int, row: Row[Any], used: Iterable[str]) -> tuple[str, ...]:
    conditions = (_any_of(name, row.when[name]) if name in row.when else "" for name in used)
    what = str(row.then.value)
    action = what if row.then.name in {"NOTHING", "YIELD"} else f"**{what}**"
    return str(number), *conditions, action + ("²" if row.then in CONFIRMED else ""), row.why


def _any_of(name: str, values: frozenset[Enum]) -> str:
    kind = COLUMNS[name][1]
    listed = [str(value.value) for value in kind if value in values]
    others = [str(value.value) for value in kind if value not in values]
    return f"all but {others[0]}" if len(others) == 1 and len(listed) > 2 else " · ".join(listed)


def _failures() -> Iterator[str]:
    yield _FAILURES
    titles = ("Code", "The node", "Closes", "Counts", "The job waits", "Why")
    yield table(titles, (_failure(code, treatment) for code, treatment in TREATMENTS.items()))
    yield f"{Node.OUT.value}: the node is out of use until its pool is open. {Node.FREE.value}: it is free at once.\n"


def _failure(code: str, treatment: Treatment) -> tuple[str, ...]:
    counts = "yes" if treatment.counts else "no"
    delay = f"{treatment.delay:g} s"
    return f"`xio:{code}`", treatment.node.value, treatment.closes.value, counts, delay, treatment.why


if __name__ == "__main__":
    sys.stdout.write(page())
