"""An EMS that bears few requests at once."""

from collections.abc import Iterator, Sequence
from typing import Final

from bench.figures import Weak
from bench.ratio import Goal, ratio
from bench.results import Result
from bench.sections.section import Section
from bench.table import seconds, table, times

_TEXT: Final = """\
`xio-resume` of {nodes:,} nodes with an EMS that takes 200 ms for an answer, and says 429 at once to what is more than
it bears side by side. Nobody tells how many that is: xio begins with half of MaxConcurrentRequests (32), and finds out.
Beside it the bare pool, whose 32 threads ask again at once. **Bound**: latency · nodes / what the EMS bears."""

_TITLES: Final = ("Bears", "xio", "Bound", "xio against it", "Refused", "Bare pool", "Refused")


def section(result: Result) -> Section:
    """The section."""
    rows = result.of(Weak)
    text = "\n\n".join((_TEXT.format(nodes=rows[0].nodes), table(_TITLES, (_cells(row) for row in rows))))
    return Section("An EMS that bears little", text, tuple(_goals(rows)))


def _cells(row: Weak) -> Sequence[str]:
    return (
        str(row.bears),
        seconds(row.seconds),
        seconds(row.bound),
        times(ratio(row.seconds, row.bound)),
        f"{row.refused:,}",
        seconds(row.pool),
        f"{row.pool_refused:,}",
    )


def _goals(rows: Sequence[Weak]) -> Iterator[Goal]:
    refused = max(row.refused / row.nodes for row in rows)
    yield Goal("Requests that a weak EMS refuses, for each node", refused, 0.25, "")
    slowest = max((ratio(row.seconds, row.bound) or 0.0 for row in rows), default=None)
    yield Goal("`xio-resume` with a weak EMS, against what it bears", slowest, 1.5)
