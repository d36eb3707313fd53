"""The table of ``xio pool list``, in 80 columns."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from rich.table import Table
from rich.text import Text

from xio_slurm.commands.output import table_console
from xio_slurm.manifest import Manifest
from xio_slurm.naming import node_name
from xio_slurm.power.breaker import EVERY_POOL, Breaker
from xio_slurm.power.breakers import gate_of
from xio_slurm.power.situation import Gate, Held, Power, held_by, power_of
from xio_slurm.slurm.states import NodeState

NODES: Final = ("off", "booting", "up", "ending", "out", "hidden")
"""States of nodes as they are counted. hidden: Slurm doesn't show it (PrivateData=cloud), or doesn't know it."""

_STATES: Final = {
    Power.OFF: "off",
    Power.CHOSEN: "booting",
    Power.POWERING_UP: "booting",
    Power.ON: "up",
    Power.POWERING_DOWN: "ending",
    Power.ABSENT: "hidden",
}
_COLOURS: Final = {Gate.OPEN: "green", Gate.HALF_OPEN: "yellow", Gate.CLOSED: "red"}


@dataclass(frozen=True, slots=True)
class PoolLine:
    """One pool. ``with_all``: the breaker is that of all pools. ``nodes`` None where Slurm doesn't answer."""

    pool: str
    breaker: Breaker
    with_all: bool
    nodes: Mapping[str, int] | None


def pool_lines(
    manifest: Manifest,
    pools: Iterable[str],
    breakers: Mapping[str, Breaker],
    states: Mapping[str, NodeState] | None,
) -> tuple[PoolLine, ...]:
    """The pools as they are to be told. Pure."""
    lines = []
    for pool in pools:
        breaker = gate_of(breakers, pool)
        nodes = None if states is None else _counted(manifest, pool, states)
        lines.append(PoolLine(pool, breaker, breaker.pool == EVERY_POOL, nodes))
    return tuple(lines)


def table(lines: Iterable[PoolLine]) -> None:
    """Print them."""
    lines = tuple(lines)
    shown = [name for name in NODES if name != "hidden" or any((line.nodes or {}).get(name) for line in lines)]
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    made.add_column("Pool", overflow="fold")
    for title in ("Gate", "Cause", "Until"):
        made.add_column(title, no_wrap=True)
    for name in shown:
        made.add_column(name.capitalize(), justify="right", no_wrap=True)
    for line in lines:
        counts = ("" if line.nodes is None else str(line.nodes.get(name, 0)) for name in shown)
        gate = Text(line.breaker.gate.value, style=_COLOURS[line.breaker.gate])
        made.add_row(line.pool, gate, line.breaker.cause, _until(line.breaker), *counts)
    table_console().print(made)


def _until(breaker: Breaker) -> str:
    if breaker.until is not None:
        return time.strftime("%H:%M", time.localtime(breaker.until))
    return "opened" if breaker.gate is Gate.CLOSED else ""


def _counted(manifest: Manifest, pool: str, states: Mapping[str, NodeState]) -> Mapping[str, int]:
    size = next(each.size for each in manifest.pools if each.name == pool)
    names = (node_name(manifest.node_prefix, pool, number) for number in range(1, size + 1))
    return Counter(_state(states.get(name)) for name in names)


def _state(state: NodeState | None) -> str:
    return "out" if held_by(state) is not Held.NOBODY else _STATES[power_of(state)]
