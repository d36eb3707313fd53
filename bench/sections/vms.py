"""Resume and suspend of many nodes."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bench.figures import Batch
from bench.plot import plot
from bench.ratio import Goal, growth, ratio
from bench.results import Result
from bench.sections.section import Section, picture
from bench.table import seconds, table, times

_TEXT: Final = """\
One call of `xio-resume` or `xio-suspend` for all nodes, as slurmctld makes it, from its start to its end. Beside it:

- **bare pool**: 32 threads with http.client that send the same requests and nothing more: no ledger on the disk, no
  look at the EMS, no deadline. In Python, with 32 requests at a time, nothing is faster.
- **requests pool**: the same with requests, which xio-slurm is built on, in http.client's place. What it takes above
  the bare pool is that library's, and shows only where the EMS takes no time.
- **bound**: latency · nodes / 32, which no program with 32 requests at a time can beat, at least one latency.
- **shell loop**: curl for one node after the other, as scripts for an EMS do it. Measured with {loop_nodes} nodes; all
  other figures are extrapolated from there in proportion (marked ~). It checks nothing.

The EMS is a small server in a process of its own: the emulator would be what is measured. Slurm's commands are
stand-ins that answer at once; the last column says how often scontrol was called. The ledger is on a real disk, to
which xio-resume syncs a node's file before it asks for its VM."""


_TITLES: Final = (
    "Latency",
    "Nodes",
    "xio",
    "Memory",
    "Bare pool",
    "xio against it",
    "Requests pool",
    "xio against it",
    "Bound",
    "xio against it",
    "Shell loop",
    "It against xio",
    "scontrol",
)


def section(result: Result) -> Section:
    """The section."""
    rows = result.of(Batch)
    parts = [_TEXT.format(loop_nodes=rows[0].loop_nodes)]
    plots = {}
    for action in ("resume", "suspend"):
        of_action = [row for row in rows if row.action == action]
        name = f"vms-{action}"
        plots[name] = plot(f"xio-{action}", "nodes", "seconds", _lines(of_action))
        parts += [f"### xio-{action}", _table(of_action), picture(name, f"xio-{action} by nodes and latency")]
    return Section("Many VMs at once", "\n\n".join(parts), tuple(_goals(rows)), plots)


def _table(rows: Iterable[Batch]) -> str:
    return table(_TITLES, (_cells(row) for row in rows))


def _cells(row: Batch) -> Sequence[str]:
    extrapolated = "" if row.nodes == row.loop_nodes else "~"
    return (
        f"{row.latency * 1000:g} ms",
        f"{row.nodes:,}",
        seconds(row.seconds),
        f"{row.mebibytes:.0f} MiB",
        seconds(row.pool),
        times(ratio(row.seconds, row.pool)),
        seconds(row.requests_pool) if row.requests_pool else "-",
        times(ratio(row.seconds, row.requests_pool or 0)),
        seconds(row.bound) if row.bound else "-",
        times(ratio(row.seconds, row.bound)),
        f"{extrapolated}{seconds(row.loop)}",
        times(ratio(row.loop, row.seconds)),
        str(row.slurm_calls),
    )


def _lines(rows: Sequence[Batch]) -> dict[str, list[tuple[float, float]]]:
    lines: dict[str, list[tuple[float, float]]] = {}
    for latency in sorted({row.latency for row in rows}):
        of_latency = [row for row in rows if row.latency == latency]
        lines[f"xio, {latency * 1000:g} ms"] = [(row.nodes, row.seconds) for row in of_latency]
        if latency in {0.0, max(row.latency for row in rows)}:
            lines[f"bare pool, {latency * 1000:g} ms…"] = [(row.nodes, row.pool) for row in of_latency]
    slowest = [row for row in rows if row.latency == max(row.latency for row in rows)]
    lines[f"shell loop, {slowest[0].latency * 1000:g} ms…"] = [(row.nodes, row.loop) for row in slowest]
    return lines


def _goals(rows: Sequence[Batch]) -> Iterator[Goal]:
    for action in ("resume", "suspend"):
        found = {row.latency: row for row in rows if row.action == action and row.nodes == 1_000}
        slow, fast = found.get(0.2), found.get(0.0)
        bound = ratio(slow.seconds, slow.bound) if slow else None
        pool = ratio(fast.seconds, fast.pool) if fast else None
        yield Goal(f"`xio-{action}` of 1,000 nodes at 200 ms, against the bound", bound, 1.25)
        yield Goal(f"`xio-{action}` of 1,000 nodes at 0 ms, against the bare pool", pool, 1.5)
        powers = [
            growth({row.nodes: row.seconds for row in rows if (row.action, row.latency) == (action, latency)})
            for latency in found
        ]
        power = max((power for power in powers if power is not None), default=None)
        yield Goal(f"`xio-{action}` is linear: grows with this power of the nodes", power, 1.1, "")
    calls = max(row.slurm_calls / math.ceil(row.nodes / 500) for row in rows)
    yield Goal("Calls of scontrol by both, for each 500 nodes or less", calls, 1, "calls")
