"""Whether Slurm uses a node whose VM is to go: a program can come late to what slurmctld called it for.

Between the call and the delete the node may have been resumed, by a host that was slow or a clock that was set back
even unseen by the ledger. One look for five hundred nodes of a call, when the first of them is due, and again after
some seconds.
"""

import logging
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from threading import Lock
from typing import Final

from xio_slurm.errors import SlurmError
from xio_slurm.manifest import Manifest
from xio_slurm.power.situation import Power, power_of
from xio_slurm.slurm.controller import Controller, controller
from xio_slurm.slurm.hostlist import CHUNK

log = logging.getLogger("xio_slurm")

_FRESH: Final = 5.0
"""Seconds for which a look counts."""

_PATIENCE: Final = 5.0
"""Seconds that slurmctld gets for its answer; without one its call is all that is known."""


class InUse:
    """The nodes of one call that are up, for all of its threads."""

    def __init__(self, manifest: Manifest, nodes: Sequence[str]) -> None:
        self._manifest = manifest
        together = [_Look(self._up, nodes[at : at + CHUNK]) for at in range(0, len(nodes), CHUNK)]
        self._look_for = {node: look for look in together for node in look.nodes}

    def __contains__(self, node: object) -> bool:
        """Whether Slurm says so; where it doesn't answer, its call stands."""
        look = self._look_for.get(str(node))
        return look is not None and node in look.now_up()

    @cached_property
    def _slurm(self) -> Controller:
        return controller(self._manifest, timeout=_PATIENCE)  # few calls of xio-resume ever ask

    def _up(self, nodes: Sequence[str]) -> frozenset[str]:
        try:
            states = self._slurm.nodes(nodes)
        except SlurmError as error:
            log.warning("whether Slurm uses the nodes again isn't known: %s", error)
            return frozenset()
        return frozenset(node for node, state in states.items() if power_of(state) is Power.ON)


class _Look:
    """Which of some nodes are up, as ``ask`` says it."""

    def __init__(self, ask: Callable[[Sequence[str]], frozenset[str]], nodes: Sequence[str]) -> None:
        self.nodes = nodes
        self._ask = ask
        self._looked: float | None = None
        self._up: frozenset[str] = frozenset()
        self._lock = Lock()

    def now_up(self) -> frozenset[str]:
        """Those that are up, as it was a few seconds ago at most."""
        with self._lock:
            if self._looked is None or time.monotonic() - self._looked > _FRESH:
                self._up = self._ask(self.nodes)
                self._looked = time.monotonic()
            return self._up
