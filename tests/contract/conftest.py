"""An EMS on localhost for every test here."""

from xio_slurm.emulator.fixture import ems_emulator

__all__ = ["ems_emulator"]
