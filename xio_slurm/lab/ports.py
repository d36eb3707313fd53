"""Ports for a lab, that no other lab on this machine uses, and how the node definitions get them.

All of a lab's slurmds run on one host, so each needs a port of its own; and it is bound only while its VM is up.
A lab therefore claims whole blocks of ports, by listening on a guard port for each as long as the lab lives.
"""

import random
import re
import socket
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Final

from xio_slurm.errors import LabError
from xio_slurm.slurm.hostlist import expand

# All below the ports that the kernel gives to clients (ip_local_port_range begins at 32768).
_FIRST: Final = 20_000
_BLOCK: Final = 64
_BLOCKS: Final = 180
_GUARDS: Final = _FIRST - _BLOCKS

_NODE_NAME = re.compile(r"(?i)^[ \t]*NodeName=(?P<nodes>\S+)(?P<rest>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Claim:
    """``count`` ports from ``first`` on: the lab's, as long as ``guards`` are open in any process."""

    first: int
    count: int
    guards: tuple[socket.socket, ...]

    def close(self) -> None:
        """Close this process's guards; those that another process inherited keep the claim."""
        for guard in self.guards:
            guard.close()


def claim(count: int) -> Claim:
    """Claim neighbouring ports that nothing listens on. Raises LabError when there are no more."""
    blocks = -(-count // _BLOCK)
    starts = list(range(_BLOCKS - blocks + 1))
    random.shuffle(starts)  # so that labs which start together seldom try the same block
    for start in starts:
        with suppress(OSError), ExitStack() as opened:
            guards = tuple(
                opened.enter_context(_listen("127.0.0.1", _GUARDS + block)) for block in range(start, start + blocks)
            )
            first = _FIRST + start * _BLOCK
            for port in range(first, first + count):
                _listen("", port).close()
            opened.pop_all()
            return Claim(first, count, guards)
    raise LabError(f"{count} free ports above {_FIRST} were not found on this machine: end other labs first")


def nodes_in(definitions: str) -> tuple[str, ...]:
    """The names of all nodes that slurm.conf text defines."""
    return tuple(name for line in _NODE_NAME.finditer(definitions) for name in _names(line["nodes"]))


def with_ports(definitions: str, first: int) -> str:
    """The same node definitions, with this host's address and a port for each node from ``first`` on."""
    lines = _NODE_NAME.finditer(definitions)
    sizes = {line.start(): len(_names(line["nodes"])) for line in lines}

    def placed(line: re.Match[str]) -> str:
        size = sizes[line.start()]
        if not size:
            return line[0]
        start = first + sum(count for at, count in sizes.items() if at < line.start())
        ports = str(start) if size == 1 else f"[{start}-{start + size - 1}]"
        return f"NodeName={line['nodes']} NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports}{line['rest']}"

    return _NODE_NAME.sub(placed, definitions)


def _names(nodes: str) -> tuple[str, ...]:
    return () if nodes.upper() == "DEFAULT" else expand(nodes)


def _listen(address: str, port: int) -> socket.socket:
    listener = socket.socket()
    try:
        # As slurmctld and slurmd do: a port whose last connection lingers is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(1)
    except OSError:
        listener.close()
        raise
    return listener
