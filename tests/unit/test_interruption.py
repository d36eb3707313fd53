"""What counts as a second Ctrl-C."""

import signal

import pytest

from xio_slurm.commands.interruption import Interruption


def test_the_same_signal_twice_at_once_is_one(capfd: pytest.CaptureFixture[str]) -> None:
    interruption = Interruption("the VM is deleted first", lambda: "never said")
    assert not interruption.happened()
    for _ in range(2):  # a second one would end this process
        interruption.handle(signal.SIGINT, None)
    assert interruption.happened()
    assert capfd.readouterr().err == "xio: the VM is deleted first\n"


def test_sigterm_never_ends_it_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    interruption = Interruption("the VM is deleted first", lambda: "never said")
    interruption.handle(signal.SIGTERM, None)
    interruption.handle(signal.SIGTERM, None)
    assert capfd.readouterr().err == "xio: the VM is deleted first\n"
