"""What became of one node in a call of a program."""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from xio_slurm.errors import EmsError, LedgerError, XioError
from xio_slurm.power.failures import Kind, kind_of

Code = Literal[
    "capacity",
    "rejected",
    "unreachable",
    "ems",
    "foreign",
    "ledger",
    "closed",
    "surplus",
    "boot",
    "unowned",
    "delegate",
    "bug",
]
"""Why a node failed; a reason in Slurm begins with ``xio:<code>``. What follows from each stands in TREATMENTS."""


class Done(Struct, frozen=True):
    """The node got what the call was for. ``how`` is the word for it: asked, adopted, gone …"""

    node: str
    how: str


class Left(Struct, frozen=True):
    """Nothing was done, on purpose: another call or another cluster decides about this node's VM."""

    node: str
    why: str


class Failed(Struct, frozen=True):
    """The node didn't get it. ``text`` is a line without the node's name, so that equal failures read equal."""

    node: str
    code: Code
    text: str


Outcome = Done | Left | Failed


class ForeignVmError(XioError):
    """A VM of the node's name exists that this cluster didn't make."""


def failure(node: str, error: BaseException) -> Failed:
    """The failure that an error stands for."""
    text = str(error) or type(error).__name__
    if not isinstance(error, LedgerError):  # whose paths are to be found
        text = text.replace(node, "the node")
    return Failed(node, _code(error), text)


_CODES: Final[tuple[tuple[type[BaseException], Code], ...]] = (
    (ForeignVmError, "foreign"),
    (LedgerError, "ledger"),
    (XioError, "ems"),
    (BaseException, "bug"),
)

_CODES_OF_KINDS: Final[Mapping[Kind, Code]] = {
    Kind.CAPACITY: "capacity",
    Kind.REJECTED: "rejected",
    Kind.UNREACHABLE: "unreachable",
    Kind.TRANSIENT: "ems",
    Kind.UNKNOWN: "ems",
}


def _code(error: BaseException) -> Code:
    if isinstance(error, EmsError):
        return _CODES_OF_KINDS[kind_of(error)]
    return next(code for kind, code in _CODES if isinstance(error, kind))
