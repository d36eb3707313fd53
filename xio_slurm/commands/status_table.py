"""The screen of ``xio status``: the pools where something goes on, the others in a line, and what is wrong."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from xio_slurm.commands.vm_table import age
from xio_slurm.desk.status import STATES, PoolStatus, Status, summed
from xio_slurm.power.breaker import EVERY_POOL, Breaker
from xio_slurm.power.pool_nodes import why_closed
from xio_slurm.power.situation import Gate

_ALWAYS: Final = ("off", "booting", "up", "busy", "idle")
_HEADS: Final = {"booting": "Boot", "ending": "End", "failed": "Fail", "closed": "Clsd", "hidden": "Hid"}
_COLOURS: Final = {Gate.OPEN: "green", Gate.HALF_OPEN: "yellow", Gate.CLOSED: "red"}
_GATES: Final = {Gate.OPEN: "open", Gate.HALF_OPEN: "half", Gate.CLOSED: "closed"}
_MOST_NOTES: Final = 5
_AROUND: Final = 4
"""Lines besides those of pools and notes: heads, the quiet pools, the total, and the prompt that follows."""

_SHORTEST: Final = 10
"""Columns of a pool's name at least."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The pools with a line of their own, and those that are summed up."""

    shown: tuple[PoolStatus, ...]
    busy: tuple[PoolStatus, ...]
    quiet: tuple[PoolStatus, ...]


def choose(pools: Iterable[PoolStatus], room: int | None) -> Chosen:
    """Those that need somebody first, then those where most goes on. ``room`` None: every pool has its line."""
    every = tuple(pools)
    if room is None:
        return Chosen(every, (), ())
    going = sorted((pool for pool in every if not pool.quiet), key=_rank)
    quiet = tuple(pool for pool in every if pool.quiet)
    if len(every) <= room:
        return Chosen((*going, *quiet), (), ())
    room = max(1, room)
    if len(going) > room:
        return Chosen(tuple(going[: room - 1]), tuple(going[room - 1 :]), quiet)
    return Chosen(tuple(going), (), quiet)


def screen(status: Status, *, width: int | None, height: int | None) -> RenderableType:
    """Everything, in so many columns and lines; None: as many as it takes."""
    notes = [_wrapped(note, width) for note in _notes(status)]
    if height is not None and len(notes) > _MOST_NOTES:
        notes[_MOST_NOTES - 1 :] = [[Text(f"and {len(notes) - _MOST_NOTES + 1} more: xio status --all")]]
    lines = [line for note in notes for line in note]
    room = None if height is None else height - _AROUND - len(lines)
    return Group(_table(status, choose(status.pools, room), width), *lines)


def _table(status: Status, chosen: Chosen, width: int | None) -> Table:
    total = status.total
    columns = [
        name for name in STATES if total.nodes is not None and (name in _ALWAYS or (total.nodes or {}).get(name))
    ]
    some_boots = total.boots is not None
    rows = [
        *((pool.pool, _gate(pool.breaker), pool) for pool in chosen.shown),
        *_sums("others", chosen.busy),
        *_sums("quiet", chosen.quiet),
        ("all", Text(""), total),
    ]
    cells = [(name, gate, _cells(pool, columns, boots=some_boots)) for name, gate, pool in rows]
    titles = [
        *(_HEADS.get(name, name.capitalize()) for name in columns),
        *("VMs", "Diff"),
        *(("p50", "p95") if some_boots else ()),
        "Oldest",
    ]
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    made.add_column("Pool", no_wrap=True)
    made.add_column("Gate", no_wrap=True)
    for title in titles:
        made.add_column(title, justify="right", no_wrap=True)
    widths = (max(len(title), *(cell[index].cell_len for *_, cell in cells)) for index, title in enumerate(titles))
    left = None if width is None else width - sum(each + 1 for each in widths) - len("closed") - 2
    names = [name for name, *_ in cells]
    short = dict(zip(names, names, strict=True)) if left is None else shortened(names, max(left, _SHORTEST))
    for name, gate, numbers in cells:
        made.add_row(short[name], gate, *numbers)
    return made


def _sums(word: str, pools: Sequence[PoolStatus]) -> list[tuple[str, Text, PoolStatus]]:
    return [(f"{len(pools)} {word}", Text(""), summed("", pools))] if pools else []


def _cells(pool: PoolStatus, columns: Iterable[str], *, boots: bool) -> list[Text]:
    nodes: Mapping[str, int] = pool.nodes or {}
    cells = [Text(str(nodes.get(name, 0)), _warned(name == "failed" and nodes.get(name))) for name in columns]
    cells.append(Text("?" if pool.vms is None else str(pool.vms)))
    cells.append(Text("?" if pool.mismatches is None else str(pool.mismatches), _warned(pool.mismatches)))
    if boots:
        cells += [Text(age(pool.boots.p50) if pool.boots else ""), Text(age(pool.boots.p95) if pool.boots else "")]
    late = pool.oldest is not None and pool.oldest.seconds > pool.oldest.deadline
    cells.append(Text(age(pool.oldest.seconds) if pool.oldest else "", _warned(late)))
    return cells


def _warned(odd: object) -> str:
    return "red" if odd else ""


def _gate(breaker: Breaker) -> Text:
    return Text(_GATES[breaker.gate], style=_COLOURS[breaker.gate])


def _rank(pool: PoolStatus) -> tuple[bool, int, float, int, str]:
    nodes = pool.nodes or {}
    oldest = pool.oldest.seconds if pool.oldest else 0.0
    return (pool.breaker.gate is Gate.OPEN, -pool.alerts, -oldest, -nodes.get("up", 0), pool.pool)


def _notes(status: Status) -> Iterable[Text]:
    for problem in status.problems:
        yield Text(problem, style="red")
    if not status.synced:
        yield Text("'xio sync' isn't at work: nobody mends what differs: systemctl status xio-sync", style="red")
    # That of all pools stands for each pool's own.
    every = status.breakers.get(EVERY_POOL)
    shown = [every] if every is not None and every.gate is Gate.CLOSED else list(status.breakers.values())
    for breaker in sorted(shown, key=lambda each: each.since):
        if breaker.gate is Gate.CLOSED:
            yield Text(why_closed(breaker), style="red")
        elif breaker.gate is Gate.HALF_OPEN:
            which = f"pool {breaker.pool}" if breaker.pool else "all pools"
            yield Text(f"{which}: half-open, one node is let through: {breaker.text}", style="yellow")
    if (oldest := status.total.oldest) is not None:
        yield Text(f"longest boot: {oldest.node}, {oldest.seconds:.0f} s of {oldest.deadline:.0f} s")
    if status.total.mismatches or status.lost:
        yield Text("Diff: nodes about which 'xio sync' would do something: xio sync --dry-run")


def _wrapped(note: Text, width: int | None) -> list[Text]:
    """A note in its lines: two at most, lest one error fills the screen."""
    if width is None or note.cell_len <= width:
        return [note]
    first, *others = textwrap.wrap(note.plain, width)
    second = Text(" ".join(others), note.style)
    second.truncate(width, overflow="ellipsis")
    return [Text(first, note.style), second]


def shortened(names: Sequence[str], width: int) -> Mapping[str, str]:
    """Names without their middle where they are too long, so cut that the most of them can be told apart."""

    def cut(name: str, tail: int) -> str:
        return name if len(name) <= width else f"{name[: width - 1 - tail]}…{name[len(name) - tail :]}"

    best = max(range(width), key=lambda tail: (len({cut(name, tail) for name in names}), -abs(2 * tail - width)))
    return {name: cut(name, best) for name in names}
