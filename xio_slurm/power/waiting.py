"""Waits for the EMS: first often, then seldom, never past the deadline."""

import time
from collections.abc import Iterator

from xio_slurm.deadline import Deadline
from xio_slurm.ems.vms import Vms
from xio_slurm.errors import EmsUnreachable

_FIRST = 0.2
_LONGEST = 5.0


def pauses(deadline: Deadline) -> Iterator[None]:
    """Yields at once, and then after pauses that double from 0.2 to 5 seconds, until the deadline."""
    pause = _FIRST
    yield
    while not deadline.passed():
        time.sleep(min(pause, deadline.left()))
        yield
        pause = min(2 * pause, _LONGEST)


def wait_until_gone(vms: Vms, node: str, deadline: Deadline) -> None:
    """Return when the EMS has no VM of the node's name any more. Raises EmsError when it still has at the deadline."""
    for _ in pauses(deadline):
        if deadline.passed():
            break
        if vms.get(node, deadline) is None:
            return
    raise EmsUnreachable("the earlier VM of this name is still being deleted", sent=True)
