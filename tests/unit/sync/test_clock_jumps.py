"""A clock that is set ahead makes no VM old, and one that is set back makes none older."""

from collections.abc import Callable
from dataclasses import replace

from tests.unit.sync.conftest import entry, seen
from xio_slurm.manifest import Manifest
from xio_slurm.power.situation import Age, Gate
from xio_slurm.power.sync.clock_jumps import ClockJumps, Jump, set_ahead_since
from xio_slurm.power.sync.proposals import situation_of


def test_only_a_clock_that_is_set_is_a_jump() -> None:
    steady = ClockJumps().after_look(1000.0, 5.0).after_look(1015.0, 20.0).after_look(1050.0, 35.0)
    assert steady.jumps == ()
    assert steady.after_look(4665.0, 50.0).jumps == (Jump(1065.0, 3600.0),)


def test_what_was_before_is_as_old_as_it_is_and_what_is_after_too() -> None:
    jumps = (Jump(1000.0, 300.0), Jump(1500.0, 100.0))
    assert set_ahead_since(900.0, jumps) == 400.0
    assert set_ahead_since(1310.0, jumps) == 100.0
    assert set_ahead_since(1610.0, jumps) == 0.0
    assert set_ahead_since(900.0, ()) == 0.0


def test_a_clock_that_is_right_again_was_never_set() -> None:
    ahead = ClockJumps().after_look(1000.0, 0.0).after_look(1310.0, 10.0)
    assert ahead.after_look(1020.0, 20.0).jumps == ()
    assert ahead.after_look(1220.0, 20.0).jumps == (Jump(1010.0, 200.0),)
    assert ahead.after_look(20.0, 20.0).jumps == ()


def test_a_vm_that_boots_is_not_overdue_since_the_clock_was_set(manifest: Callable[..., Manifest]) -> None:
    looked = seen({"n-a-1": "ALLOCATED+CLOUD+POWERING_UP"}, entry("n-a-1", age=3700.0), vms={"n-a-1"})
    assert situation_of("n-a-1", "a", looked, manifest(), Gate.OPEN).age is Age.OVERDUE
    jumped = replace(looked, jumps=(Jump(looked.time - 3650.0, 3600.0),))
    assert situation_of("n-a-1", "a", jumped, manifest(), Gate.OPEN).age is Age.GROWN
