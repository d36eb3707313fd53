"""Which failures of a request for a VM are worth another try, and when the EMS may be asked once more."""

import time
from typing import Final

from xio_slurm.errors import EmsError
from xio_slurm.power.failures import Kind, kind_of

_LATE: Final = 5.0
"""Seconds after a lost answer in which the EMS is only looked at: it may still be at it."""


class PassingError(EmsError):
    """A failure that may be over in a moment, whatever its words."""


class LostAnswerError(PassingError):
    """A create whose answer was lost. ``told`` is the error that this is, if nothing better comes."""

    def __init__(self, told: EmsError) -> None:
        self.told = told
        self._not_before = time.monotonic() + _LATE
        super().__init__(str(told))

    def may_come(self) -> bool:
        """Whether the VM may still come of it: then asking again could make a second one."""
        return time.monotonic() < self._not_before


def passes(error: EmsError) -> bool:
    """Whether another try may go better."""
    return isinstance(error, PassingError) or kind_of(error) in {Kind.TRANSIENT, Kind.UNREACHABLE}


def of_no_create(error: EmsError) -> EmsError:
    """The failure of a look or a delete: what would be a want of capacity for a create says nothing of the kind."""
    return PassingError(str(error)) if kind_of(error) is Kind.CAPACITY else error
