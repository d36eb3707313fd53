"""Whether Slurm uses a node whose VM is to go: a program can come late to what slurmctld called it for.

Between the call and the delete the node may have been resumed, by a host that was slow or a clock that was set back
even unseen by the ledger. One look for all nodes of a call, and again after some seconds.
"""

import logging
import time
from collections.abc import Iterable
from threading import Lock
from typing import Final

from xio_slurm.errors import SlurmError
from xio_slurm.manifest import Manifest
from xio_slurm.power.situation import Power, power_of
from xio_slurm.slurm.scontrol import Scontrol

log = logging.getLogger("xio_slurm")

_FRESH: Final = 5.0
"""Seconds for which a look counts."""

_PATIENCE: Final = 5.0
"""Seconds that slurmctld gets for its answer; without one its call is all that is known."""


class InUse:
    """The nodes of one call that are up, for all of its threads."""

    def __init__(self, manifest: Manifest, nodes: Iterable[str]) -> None:
        self._slurm = Scontrol(manifest.slurm_bin_dir, timeout=_PATIENCE)
        self._nodes = tuple(nodes)
        self._looked: float | None = None
        self._up: frozenset[str] | None = None
        self._lock = Lock()

    def __contains__(self, node: object) -> bool:
        """Whether Slurm says so; where it doesn't answer, its call stands."""
        return node in (self._now_up() or ())

    def _now_up(self) -> frozenset[str] | None:
        with self._lock:
            now = time.monotonic()
            if self._looked is None or now - self._looked > _FRESH:
                self._up = self._look()
                self._looked = time.monotonic()
            return self._up

    def _look(self) -> frozenset[str] | None:
        try:
            states = self._slurm.nodes(self._nodes)
        except SlurmError as error:
            log.warning("whether Slurm uses the nodes again isn't known: %s", error)
            return None
        return frozenset(node for node, state in states.items() if power_of(state) is Power.ON)
