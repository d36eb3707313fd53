"""Which programs slurm.conf names, once they are installed."""

from dataclasses import replace
from pathlib import Path

import pytest

from xio_slurm.config import load
from xio_slurm.deploy import programs
from xio_slurm.deploy.launchers import launcher
from xio_slurm.deploy.programs import (
    MODULES,
    RESUME,
    Programs,
    installed_bin,
    installed_manifest,
    interpreter,
    programs_of,
)
from xio_slurm.shipped import shipped

PLUGIN = load(shipped("xio.yaml")).config.plugin


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(programs, "INSTALL_FOLDERS", (tmp_path / "none", tmp_path))
    return tmp_path


def put(folder: Path, python: Path) -> None:
    (folder / RESUME).write_text(launcher(python, Path("/etc/xio/manifest.json"), "-I", "-m", MODULES[RESUME]))


def test_those_that_this_installation_has_put(folder: Path) -> None:
    assert programs_of(PLUGIN) == Programs.in_folder(installed_bin())
    put(folder, interpreter())
    assert programs_of(PLUGIN) == Programs.in_folder(folder)
    assert installed_manifest() == Path("/etc/xio/manifest.json")


def test_not_those_of_another_installation(folder: Path) -> None:
    put(folder, Path("/opt/other/bin/python"))
    assert installed_manifest() is None
    assert programs_of(PLUGIN) == Programs.in_folder(installed_bin())


def test_the_configured_folder_comes_first(folder: Path) -> None:
    put(folder, interpreter())
    assert programs_of(replace(PLUGIN, program_dir="/own")) == Programs.in_folder(Path("/own"))
