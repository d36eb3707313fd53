"""An EMS on localhost, and our programs as slurmctld calls them against it."""

pytest_plugins = ["xio_slurm.emulator.fixture"]
