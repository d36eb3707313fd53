"""The controller through ``scontrol``: it is on every controller host, and matches its slurmctld.

A call costs about 5 ms whatever the number of nodes, so nodes go in sorted pieces of ``hostlist.CHUNK``.
"""

from collections.abc import Iterable, Mapping

from xio_slurm.errors import SlurmError, SlurmTimeout
from xio_slurm.slurm.command import run
from xio_slurm.slurm.hostlist import CHUNK, chunks, fold
from xio_slurm.slurm.states import NodeState, parse_nodes


class Scontrol:
    """Slurm's nodes, read and changed, and its jobs changed. Every method raises SlurmError when scontrol fails."""

    def __init__(self, bin_dir: str, *, slurm_conf: str | None = None, timeout: float = 30.0) -> None:
        self._bin_dir = bin_dir
        self._slurm_conf = slurm_conf
        self._timeout = timeout

    def nodes(self, names: Iterable[str]) -> Mapping[str, NodeState]:
        """The states of the named nodes. Names that Slurm doesn't know are absent."""
        found: dict[str, NodeState] = {}
        for chunk in chunks(names):
            try:
                text = self._scontrol("show", "node", "-o", fold(chunk))
            except SlurmTimeout:
                raise
            except SlurmError:
                # One unknown name can fail the whole call: ask for all nodes, and take those that were meant.
                wanted = set(chunk)
                every = parse_nodes(self._scontrol("show", "node", "-o"))
                found |= {node.name: node for node in every if node.name in wanted}
            else:
                found |= {node.name: node for node in parse_nodes(text)}
        return found

    def every_node(self) -> Mapping[str, NodeState]:
        """The states of all nodes that Slurm knows, ours and others', in one call."""
        return {node.name: node for node in parse_nodes(self._scontrol("show", "node", "-o", "--all"))}

    def set_addresses(self, addresses: Mapping[str, str]) -> None:
        """``scontrol update NodeAddr=`` by node, sorted: some versions sort the names and not the addresses."""
        for chunk in chunks(addresses):
            in_order = ",".join(addresses[node] for node in chunk)
            self._scontrol("update", f"NodeName={','.join(chunk)}", f"NodeAddr={in_order}")

    def set_state(self, names: Iterable[str], state: str, reason: str | None = None) -> None:
        """``scontrol update State=``. DOWN needs a reason. An unknown name breaks the update in its middle."""
        for chunk in chunks(names):
            because = (f"Reason={reason}",) if reason is not None else ()
            self._scontrol("update", f"NodeName={','.join(chunk)}", f"State={state}", *because)

    def update_jobs(self, ids: Iterable[str], *changes: str) -> None:
        """``scontrol update JobId=``. Ids are as squeue prints them. Each is tried; raises if one fails."""
        ordered = tuple(ids)
        for start in range(0, len(ordered), CHUNK):
            self._scontrol("update", f"JobId={','.join(ordered[start : start + CHUNK])}", *changes)

    def notify(self, number: int, text: str) -> None:
        """Write a line on the terminal of a job's srun or salloc."""
        self._scontrol("notify", str(number), text)

    def _scontrol(self, *arguments: str) -> str:
        return run(self._bin_dir, "scontrol", *arguments, slurm_conf=self._slurm_conf, timeout=self._timeout)
