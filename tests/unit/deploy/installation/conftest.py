"""A site to decide about."""

import pytest

from xio_slurm.deploy.installation.layout import PLAIN
from xio_slurm.deploy.installation.site import Site


@pytest.fixture
def site() -> Site:
    """A plain cluster's controller."""
    return Site(
        layout=PLAIN,
        interpreter="/opt/xio/bin/python",
        prefix="/opt/xio",
        programs=PLAIN.programs,
        manifest=PLAIN.manifest,
        slurm_conf=PLAIN.slurm_conf,
        slurm_bin_dir="/usr/bin",
        slurm_user="slurm",
        group="hpc",
        state_dir="/var/lib/xio",
        log_dir="/var/log/xio",
        service=True,
    )
