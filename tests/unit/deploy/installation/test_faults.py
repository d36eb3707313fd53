"""What slurmctld couldn't use isn't installed."""

import sys
from dataclasses import replace
from pathlib import Path

from xio_slurm.deploy.installation.site import Site, faults
from xio_slurm.deploy.programs import interpreter


def test_none_where_all_is_well(site: Site) -> None:
    assert faults(replace(site, interpreter=str(interpreter()), prefix=sys.prefix, slurm_user="root")) == ()


def test_what_everybody_may_write(site: Site, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    (found,) = faults(replace(site, interpreter=str(interpreter()), prefix=str(tmp_path), slurm_user="root"))
    assert found.startswith(f"{tmp_path}: is writable for everybody")


def test_a_python_that_slurm_user_cannot_run(site: Site, tmp_path: Path) -> None:
    python = tmp_path / "python"  # not executable, for anybody
    python.touch(mode=0o644)
    (found,) = faults(replace(site, interpreter=str(python), prefix=sys.prefix, slurm_user="root"))
    assert "SlurmUser root can't run xio-slurm with it" in found
