"""What VMs cost: from the file to the manifest."""

from pathlib import Path

import pytest

from tests.unit.test_config_recovery import SAMPLE, loaded
from xio_slurm.config import load
from xio_slurm.config.model import Config
from xio_slurm.deploy.compile import compile_config, read_user_data
from xio_slurm.deploy.programs import Programs
from xio_slurm.errors import ConfigError
from xio_slurm.manifest import Manifest


def written(config: Config) -> Manifest:
    text = compile_config(config, Programs("/a", "/b", "/c"), read_user_data(config)).manifest.to_json()
    return Manifest.from_json(text, "manifest.json")


def test_prices_reach_the_manifest(tmp_path: Path) -> None:
    manifest = written(loaded(tmp_path, "VmHourPrices: {small: 0.085}", "Currency: EUR"))
    assert (manifest.vm_hour_price("small"), manifest.vm_hour_price("gone"), manifest.currency) == (0.085, None, "EUR")


def test_a_whole_number_and_nothing_are_prices(tmp_path: Path) -> None:
    assert written(loaded(tmp_path, "VmHourPrices: {small: 2}")).vm_hour_price("small") == 2.0
    assert written(loaded(tmp_path, "VmHourPrices: {small: 0}")).vm_hour_price("small") == 0.0


def test_by_default_nobody_has_said(tmp_path: Path) -> None:
    manifest = written(loaded(tmp_path))
    assert (manifest.vm_hour_price("small"), manifest.currency) == (None, "USD")


@pytest.mark.parametrize(
    ("line", "key", "told"),
    [
        ("VmHourPrices: {smal: 0.1}", "VmHourPrices.smal", "is no pool of this file (did you mean small?)"),
        ("VmHourPrices: {small: -0.1}", "VmHourPrices.small", "must be at least 0"),
        ("VmHourPrices: {small: .nan}", "VmHourPrices.small", "number"),
        ("VmHourPrices: {small: cheap}", "VmHourPrices.small", "write a price in digits, such as 0.085"),
        ("VmHourPrices: 0.1", "VmHourPrices", "mapping"),
        ("Currency: dollars", "Currency", "must be three capital letters"),
    ],
)
def test_a_wrong_one_is_told(tmp_path: Path, line: str, key: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, line)
    (problem,) = (each for each in caught.value.problems if each.severity == "error")
    assert problem.key == f"slurm.Xio.Plugin.{key}"
    assert told in str(problem)


def test_a_manifest_of_before_has_none() -> None:
    manifest = written(load(SAMPLE).config)
    lines = manifest.to_json().splitlines()
    text = "\n".join(line for line in lines if '"currency"' not in line)
    text = text.replace(',\n      "vm_hour_price": null', "")
    assert "vm_hour_price" not in text
    assert Manifest.from_json(text, "m") == manifest
