"""What became of one node in a call of a program."""

from dataclasses import dataclass
from typing import Final, Literal

from xio_slurm.errors import EmsRefused, EmsUnreachable, LedgerError, XioError

Code = Literal["capacity", "rejected", "unreachable", "foreign", "unowned", "delegate", "ledger", "ems", "bug"]
"""Why a node failed; a reason in Slurm begins with ``xio:<code>``."""


@dataclass(frozen=True, slots=True)
class Done:
    """The node got what the call was for. ``how`` is the word for it: asked, adopted, gone …"""

    node: str
    how: str


@dataclass(frozen=True, slots=True)
class Left:
    """Nothing was done, on purpose: another call or another cluster decides about this node's VM."""

    node: str
    why: str


@dataclass(frozen=True, slots=True)
class Failed:
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
    (EmsUnreachable, "unreachable"),
    (LedgerError, "ledger"),
    (XioError, "ems"),
    (BaseException, "bug"),
)


def _code(error: BaseException) -> Code:
    if isinstance(error, EmsRefused):
        if error.status in {429, 503}:
            return "capacity"
        return "rejected" if 400 <= error.status < 500 else "ems"
    return next(code for kind, code in _CODES if isinstance(error, kind))
