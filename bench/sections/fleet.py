"""Commands on configurations that grow."""

from collections.abc import Sequence
from typing import Final

from bench.figures import Fleet
from bench.plot import plot
from bench.ratio import Goal, growth
from bench.results import Result
from bench.sections.section import Section, picture
from bench.table import seconds, table, times

_COMMANDS: Final = ("check", "generate", "plan", "sync")

_TEXT: Final = """\
Nodes are in pools of 256. `plan` is a first one, on the emulator: everything is still to be made. `sync` is one quiet
pass (`xio sync --once`): each node has been up once, so that the ledger has an entry for it; every tenth has a VM.
Slurm's answer comes from a file, as long as a real one. Times are medians, memory is the most that a process held; *x*
says how many times the figure of the smallest configuration it is."""


def section(result: Result) -> Section:
    """The section."""
    rows = result.of(Fleet)
    sizes = sorted({row.nodes for row in rows})
    by_command = {name: sorted((r for r in rows if r.command == name), key=lambda r: r.nodes) for name in _COMMANDS}
    text = "\n\n".join((_TEXT, _table(by_command, sizes), picture("fleet-time", "Time by nodes")))
    time = plot(
        "Time", "nodes", "seconds", {name: [(r.nodes, r.seconds) for r in of] for name, of in by_command.items()}
    )
    memory = plot(
        "Memory", "nodes", "MiB", {name: [(r.nodes, r.mebibytes) for r in of] for name, of in by_command.items()}
    )
    text = f"{text}\n\n{picture('fleet-memory', 'Memory by nodes')}"
    return Section("Large fleets", text, _goals(by_command), {"fleet-time": time, "fleet-memory": memory})


def _table(by_command: dict[str, list[Fleet]], sizes: Sequence[int]) -> str:
    titles = ["", *(f"{size:,} nodes" for size in sizes), "x", "Memory", "x"]
    cells = []
    for name, rows in by_command.items():
        first, last = rows[0], rows[-1]
        grown = (
            times(last.seconds / first.seconds),
            f"{last.mebibytes:.0f} MiB",
            times(last.mebibytes / first.mebibytes),
        )
        cells.append((f"`xio {name}`", *(seconds(row.seconds) for row in rows), *grown))
    return table(titles, cells)


def _goals(by_command: dict[str, list[Fleet]]) -> tuple[Goal, ...]:
    found = {(row.command, row.nodes): row for rows in by_command.values() for row in rows}
    generate, sync = found.get(("generate", 65_536)), found.get(("sync", 10_000))
    powers = (
        Goal(
            f"`xio {name}` is linear: grows with this power of the nodes",
            growth({row.nodes: row.seconds for row in rows}),
            1.1,
            "",
        )
        for name, rows in by_command.items()
    )
    return (
        Goal("`xio generate` of 65,536 nodes", generate.seconds if generate else None, 3, "s"),
        Goal("`xio generate` of 65,536 nodes", generate.mebibytes if generate else None, 300, "MiB"),
        Goal("a quiet pass of `xio sync` over 10,000 nodes", sync.seconds if sync else None, 2, "s"),
        *powers,
    )
