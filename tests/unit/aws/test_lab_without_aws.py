"""A lab is this machine's alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from xio_slurm.config import load
from xio_slurm.lab.deployment import adapted
from xio_slurm.lab.layout import Layout
from xio_slurm.lab.options import LabOptions
from xio_slurm.manifest import RootPassword

NEWEST = Path(__file__).resolve().parents[2] / "data" / "config" / "newest.yaml"


@pytest.mark.parametrize("here", [RootPassword(None, None, "/x", None), RootPassword(None, None, None, ("/x",))])
def test_a_lab_asks_aws_for_no_password_but_takes_one_of_this_machine(tmp_path: Path, here: RootPassword) -> None:
    config = load(NEWEST).config
    assert config.root_password is not None
    options = LabOptions(tmp_path)
    assert adapted(config, options, Layout(tmp_path), tmp_path).root_password is None
    with_own = adapted(replace(config, root_password=here), options, Layout(tmp_path), tmp_path)
    assert with_own.root_password == here
