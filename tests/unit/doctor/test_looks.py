"""Looks side by side: bounded, and one's failure is never another's."""

import threading
import time

import pytest

from xio_slurm.desk.looks import Unseen, side_by_side
from xio_slurm.errors import SlurmError


def test_one_that_hangs_and_one_that_fails_cost_nothing_of_the_others() -> None:
    forever = threading.Event()

    def fail() -> None:
        raise SlurmError("no slurmctld")

    began = time.monotonic()
    seen = side_by_side({"hangs": forever.wait, "fails": fail, "well": lambda: 7}, 0.5)
    assert time.monotonic() - began < 10
    assert seen == {"hangs": Unseen("no answer within 0.5 s"), "fails": Unseen("no slurmctld"), "well": 7}
    forever.set()


def test_a_bug_is_no_finding() -> None:
    def bug() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        side_by_side({"bug": bug}, 5)
