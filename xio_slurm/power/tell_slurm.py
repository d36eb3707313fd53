"""Tells Slurm about the nodes that can't come up: one look, and one update for each reason and state."""

import logging
from collections.abc import Collection

from xio_slurm.deadline import Deadline
from xio_slurm.errors import SlurmError
from xio_slurm.events import Events
from xio_slurm.manifest import Manifest
from xio_slurm.power.decide import updates_after_resume
from xio_slurm.power.outcome import Failed
from xio_slurm.slurm.hostlist import fold
from xio_slurm.slurm.scontrol import Scontrol

log = logging.getLogger("xio_slurm")


def tell_failures(manifest: Manifest, events: Events, deadline: Deadline, failures: Collection[Failed]) -> None:
    """Have the failed nodes' jobs requeued at once. If Slurm can't be told, that is logged: it finds out by itself."""
    if not failures:
        return
    # Slurm must be told even if the EMS took all the time that there was.
    controller = Scontrol(manifest.slurm_bin_dir, timeout=max(5.0, min(30.0, deadline.left())))
    try:
        states = controller.nodes(failure.node for failure in failures)
        for update in updates_after_resume(failures, states):
            controller.set_state(update.nodes, update.state, update.reason)
            log.info("told Slurm: %s %s %s", fold(update.nodes), update.state, update.reason or "")
            for node in update.nodes:
                events.record("told", node=node, state=update.state, reason=update.reason)
    except SlurmError as error:
        log.error("Slurm can't be told of the failed nodes: %s", error)
