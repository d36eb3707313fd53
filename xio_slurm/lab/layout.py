"""Where the parts of a lab are inside its folder."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xio_slurm.errors import LabError

_SOCKET_PATH: Final = 107
"""Longest path of a Unix socket (unix(7): 108 bytes with the ending NUL)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one lab."""

    folder: Path

    @property
    def mark(self) -> Path:
        """Made first and removed last: it tells that the folder is a lab's, whatever became of it."""
        return self.folder / ".xio-lab"

    @property
    def lock(self) -> Path:
        """Only one ``up`` or ``down`` holds it."""
        return self.folder / ".xio-lab.lock"

    @property
    def record(self) -> Path:
        """Written last: a folder without it is a lab that never came up."""
        return self.folder / "lab.json"

    @property
    def etc(self) -> Path:
        """slurm.conf, the node definitions, the manifest."""
        return self.folder / "etc"

    @property
    def slurm_conf(self) -> Path:
        """What every one of Slurm's programs reads."""
        return self.etc / "slurm.conf"

    @property
    def node_definitions(self) -> Path:
        """The include as ``xio generate`` wrote it, with this machine's addresses and ports added."""
        return self.etc / "lab.nodes.conf"

    @property
    def certificates(self) -> Path:
        """Those of the EMS and of its clients, where it speaks TLS."""
        return self.folder / "tls"

    @property
    def bin(self) -> Path:
        """The programs that slurmctld calls."""
        return self.folder / "bin"

    @property
    def munge(self) -> Path:
        """munged's key, socket, log and seed. Its owner's alone to write, as munged demands."""
        return self.folder / "munge"

    @property
    def munge_socket(self) -> Path:
        """Where Slurm's programs find munged."""
        return self.munge / "munge.sock"

    @property
    def run(self) -> Path:
        """Pid and port files."""
        return self.folder / "run"

    @property
    def log(self) -> Path:
        """Every log, and our programs' events."""
        return self.folder / "log"

    @property
    def slurmctld_log(self) -> Path:
        """slurmctld's log, times in milliseconds."""
        return self.log / "slurmctld.log"

    @property
    def events(self) -> Path:
        """What our programs did, a JSON line each."""
        return self.log / "events.jsonl"

    @property
    def delegated_calls(self) -> Path:
        """How the second family's programs were called, a JSON line each."""
        return self.log / "delegated.jsonl"

    @property
    def delegated_url(self) -> Path:
        """A file with the URL of the second family's emulator."""
        return self.etc / "delegated.url"

    @property
    def manifest(self) -> Path:
        """What our programs read."""
        return self.etc / "manifest.json"

    @property
    def config(self) -> Path:
        """The configuration, with the lab's own settings."""
        return self.etc / "xio.yaml"

    @property
    def scenario(self) -> Path:
        """What the EMS emulator begins with."""
        return self.etc / "ems.json"

    @property
    def slurm_state(self) -> Path:
        """slurmctld's StateSaveLocation."""
        return self.folder / "state"

    @property
    def ledger(self) -> Path:
        """Our StateDir."""
        return self.folder / "xio"

    @property
    def vms(self) -> Path:
        """The VMs' user data and what it printed."""
        return self.folder / "vms"

    @property
    def spool(self) -> Path:
        """The nodes' spool folders. One letter, because a node's name is in a step's socket path twice."""
        return self.folder / "s"

    def check_lengths(self, longest_node: str) -> None:
        """Raise LabError where a path would be too long for a socket, with the length that would do."""
        # slurmstepd listens at <spool>/<node>/<node>_<job>.<step>; the steps' highest numbers have ten digits.
        step = self.spool / longest_node / f"{longest_node}_100000.4294967295"
        longest = max(len(os.fsencode(step)), len(os.fsencode(self.munge_socket)))
        if longest > _SOCKET_PATH:
            raise LabError(
                f"{self.folder}: the path is {longest - _SOCKET_PATH} characters too long for the sockets of node "
                f"{longest_node}: choose a shorter folder, or shorter pool names"
            )
