"""A pytest fixture: put ``pytest_plugins = ["xio_slurm.emulator.fixture"]`` into your conftest.py."""

from collections.abc import Iterator

import pytest

from xio_slurm.emulator.tool import Emulator


@pytest.fixture
def ems_emulator() -> Iterator[Emulator]:
    """An EMS of this test alone; its VMs boot in a twentieth of a second and run nothing."""
    with Emulator(boot_seconds=0.05) as emulator:
        yield emulator
