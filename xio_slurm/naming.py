"""The names that Slurm, the EMS and the configuration share.

A node is called ``<prefix><pool>-<n>`` with n from 1 to the pool's size. Pool names hold digits and hyphens
themselves (``amd-8-gb-1-cores``), so a name is taken apart from its end.
"""

import re
from typing import Final, Literal

Product = Literal["xio", "xwo"]

NODE_PREFIXES: Final[dict[Product, str]] = {"xio": "xspot-vm-", "xwo": "xwo-"}
UNION_PARTITIONS: Final[dict[Product, str]] = {"xio": "xio", "xwo": "xwo"}

MAX_NODE_NAME: Final = 63
"""Longest node name: a host name's label (RFC 1035), and the node becomes the VM's host name."""

_NUMBER = re.compile(r"[1-9][0-9]{0,8}\Z", re.ASCII)


def node_name(prefix: str, pool: str, number: int) -> str:
    """The name of the pool's node ``number`` (from 1)."""
    return f"{prefix}{pool}-{number}"


def split_node_name(prefix: str, name: str) -> tuple[str, int] | None:
    """The pool and number that a node's name speaks of, or None for a name that is not formed like ours.

    This alone doesn't make a node ours: the pool must be in the manifest, and the number within its size.
    """
    if not name.startswith(prefix):
        return None
    pool, hyphen, number = name[len(prefix) :].rpartition("-")
    if not (pool and hyphen and _NUMBER.match(number)):
        return None
    return pool, int(number)


def pool_partition(partition: str, pool: str) -> str:
    """The partition that holds one pool alone."""
    return f"{partition}-{pool}"
