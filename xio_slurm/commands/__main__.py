"""Lets ``python -m xio_slurm.commands`` be ``xio``."""

from xio_slurm.commands.main import main

main()
