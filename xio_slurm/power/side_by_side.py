"""Does the same for many nodes at once, so that one node's failure is never another's."""

import logging
from collections.abc import Callable, Iterable, Iterator

from xio_slurm.bug_report import write_bug_report
from xio_slurm.power.outcome import Outcome, failure

log = logging.getLogger("xio_slurm")


def side_by_side(work: Callable[[str], Outcome], nodes: Iterable[str], *, most: int) -> Iterator[Outcome]:
    """Call ``work`` for each node, at most ``most`` at a time; an outcome for each, in their order.

    Threads, since the time goes by waiting for the EMS. What ``work`` raises becomes that node's failure; what we
    didn't expect leaves a bug report besides.
    """

    def done(node: str) -> Outcome:
        try:
            return work(node)
        except Exception as error:  # one node's is never another's
            failed = failure(node, error)
            if failed.code == "bug":
                log.critical("%s: %s", node, write_bug_report(error))
            return failed

    every = tuple(nodes)
    if min(most, len(every)) < 2:
        yield from map(done, every)  # most calls are about one node: they need no thread, and don't load any
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(max_workers=most) as pool:
        yield from pool.map(done, every)
