"""The controller through pyslurm: nodes alone. Jobs, which are few, go through scontrol."""

import logging
from collections.abc import Iterable, Mapping
from functools import cache

from xio_slurm.slurm.hostlist import chunks
from xio_slurm.slurm.pyslurm_process import PyslurmGoneError, PyslurmProcess
from xio_slurm.slurm.scontrol import Scontrol
from xio_slurm.slurm.states import NodeState, node_state

log = logging.getLogger("xio_slurm")

_of = cache(PyslurmProcess)
"""One a slurm.conf, for all controllers of ours."""


class PyslurmController(Scontrol):
    """Where pyslurm can't be imported, which is logged once, nodes go through scontrol, too."""

    def nodes(self, names: Iterable[str]) -> Mapping[str, NodeState]:
        """The states of the named nodes. Names that Slurm doesn't know are absent."""
        wanted = {*names}
        return {name: state for name, state in self.every_node().items() if name in wanted} if wanted else {}

    def every_node(self) -> Mapping[str, NodeState]:
        """The states of all nodes that Slurm knows, ours and others'."""
        process = self._process()
        if process is None:
            return super().every_node()
        return {told[0]: node_state(*told) for told in process.ask({}, self._timeout)}

    def set_addresses(self, addresses: Mapping[str, str]) -> None:
        """The update that scontrol makes."""
        process = self._process()
        if process is None:
            return super().set_addresses(addresses)
        for chunk in chunks(addresses):
            in_order = ",".join(addresses[node] for node in chunk)
            process.ask({"nodes": ",".join(chunk), "changes": {"address": in_order}}, self._timeout)
        return None

    def set_state(self, names: Iterable[str], state: str, reason: str | None = None) -> None:
        """The update that scontrol makes."""
        process = self._process()
        if process is None:
            return super().set_state(names, state, reason)
        changes = {"state": state} | ({"reason": reason} if reason is not None else {})
        for chunk in chunks(names):
            process.ask({"nodes": ",".join(chunk), "changes": changes}, self._timeout)
        return None

    def _process(self) -> PyslurmProcess | None:
        process = _of(self._slurm_conf)
        if process.usable:
            try:
                process.start(self._timeout)
            except PyslurmGoneError as error:
                process.usable = False
                what = "is there a slurm.conf, and was it built for this Slurm?"
                log.warning("pyslurm can't be imported, so scontrol is used: %s (%s)", what, error)
        return process if process.usable else None
