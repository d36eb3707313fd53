"""The names of test VMs: told apart from nodes by their form alone, and by people at first sight."""

import re
import secrets
from typing import Final

from xio_slurm.naming import MAX_NODE_NAME

PREFIX: Final = "xio-test-"

_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz"
_LENGTH: Final = 6
_NOT_OF_A_HOST_NAME = re.compile(r"[^A-Za-z0-9]+")
_TEST_NAME = re.compile(rf"{PREFIX}.+-[a-z]{{{_LENGTH}}}\Z")


def new_test_name(pool: str) -> str:
    """``xio-test-<pool>-<random>``. It ends in letters, so it can't be a node's name, which ends in a number."""
    end = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    room = MAX_NODE_NAME - len(PREFIX) - 1 - _LENGTH
    middle = _NOT_OF_A_HOST_NAME.sub("-", pool).strip("-")[:room].strip("-") or "vm"
    return f"{PREFIX}{middle}-{end}"


def is_test_name(name: str) -> bool:
    """Whether a name is formed like a test VM's. This alone doesn't make a VM ours: the ledger says whose it is."""
    return _TEST_NAME.match(name) is not None
