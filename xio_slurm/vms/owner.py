"""Whose a VM is. Its name proves nothing: the ledger does."""

from typing import Literal

from xio_slurm.ledger import Entry

Whose = Literal["ours", "foreign", "others"]
"""``foreign``: named like a node of ours, and not made by this cluster as far as the ledger knows."""


def is_ours(entry: Entry | None) -> bool:
    """Whether the ledger calls a VM that exists ours; after an ask that was never answered it may have come late."""
    if entry is None or entry.phase == "foreign":
        return False
    return entry.phase != "gone" or entry.unanswered


def whose(entry: Entry | None, *, named_like_ours: bool) -> Whose:
    """The same in a word, for a VM that exists."""
    if is_ours(entry):
        return "ours"
    return "foreign" if named_like_ours else "others"
