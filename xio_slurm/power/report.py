"""Says in the log and the events what became of a call's nodes: equal outcomes in one line."""

import logging
from collections import defaultdict
from collections.abc import Iterable

from xio_slurm.events import Events
from xio_slurm.power.outcome import Done, Failed, Left, Outcome
from xio_slurm.slurm.hostlist import fold

log = logging.getLogger("xio_slurm")


def report(events: Events, outcomes: Iterable[Outcome]) -> None:
    """One line in the log for every different outcome, one event for each node that failed or was left."""
    alike: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for outcome in outcomes:
        match outcome:
            case Done(node, how):
                alike[logging.INFO, how].append(node)
            case Left(node, why):
                alike[logging.INFO, f"left as it is: {why}"].append(node)
                events.record("left", node=node, why=why)
            case Failed(node, code, text):
                alike[logging.ERROR, f"failed: xio:{code} {text}"].append(node)
                events.record("failed", node=node, code=code, text=text)
    for (level, words), nodes in alike.items():
        log.log(level, "%s: %s", fold(nodes), words)
