"""A storm of jobs on a large cluster."""

from typing import Final

from bench.figures import Storm
from bench.ratio import Goal, ratio
from bench.results import Result
from bench.sections.section import Section
from bench.table import seconds, table

_TEXT: Final = """\
{jobs:,} jobs at once, each for a node of its own, on a lab of 5,000 nodes. Its VMs are addresses and nothing else: no
slurmd is started in them. Counted is from slurmctld's first call of the ResumeProgram until the EMS was asked for the
last node, in four parts. slurmctld, the emulator and our programs share the machine, and slurmctld has its own pace:
so what counts is that no node is left out, and that the last part takes no longer than the first.

What bounds a cluster of 65,536 nodes, on paper:

- **The argument.** slurmctld hands a call's nodes over as one argument, of which Linux takes 128 KiB. All of 65,536
  nodes fold into a few hundred bytes; every second one of them takes 192 KiB, and can't be handed over at all.
  ResumeRate (by default 300 a minute) keeps calls far below that.
- **slurmctld.** We call scontrol once for 500 nodes: a failure of all of them is 131 updates of about 10 ms.
- **The EMS.** With 200 ms for an answer and 32 requests at a time, 65,536 VMs take 410 s, of a ResumeTimeout of 600 s:
  raise MaxConcurrentRequests, as far as the EMS bears it.
- **The ledger.** A node's file is 4 KiB of disk and a synced write: 65,536 of them are 256 MiB, and 6 s at 0.09 ms."""


def section(result: Result) -> Section:
    """The section."""
    rows = result.of(Storm)
    cells = (
        (str(row.part), f"{row.asked:,}", str(row.calls), seconds(row.seconds), seconds(row.seconds / row.asked))
        for row in rows
    )
    text = "\n\n".join((_TEXT.format(jobs=rows[0].jobs), table(("Part", "Nodes", "Calls", "Time", "A node"), cells)))
    missing = rows[0].jobs - sum(row.asked for row in rows)
    slower = ratio(rows[-1].seconds / rows[-1].asked, rows[0].seconds / rows[0].asked)
    goals = (
        Goal("A storm of 2,000 jobs: nodes that weren't asked for", missing, 0, ""),
        Goal("A storm of 2,000 jobs: the last quarter's time a node against the first's", slower, 1.25),
    )
    return Section("A storm of jobs", text, goals)
