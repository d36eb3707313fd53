"""Where metrics are served: from the file to the manifest."""

from pathlib import Path

import pytest

from tests.unit.test_config_recovery import SAMPLE, loaded
from xio_slurm.config import load
from xio_slurm.deploy.compile import compile_config, read_user_data
from xio_slurm.deploy.programs import Programs
from xio_slurm.errors import ConfigError
from xio_slurm.manifest import Manifest


def test_by_default_nowhere(tmp_path: Path) -> None:
    assert loaded(tmp_path).plugin.metrics_address is None
    assert load(SAMPLE).config.plugin.metrics_address is None


@pytest.mark.parametrize("address", ["127.0.0.1:9818", "[::1]:9818", "0.0.0.0:1", "head-1.example.com:65535"])
def test_it_reaches_the_manifest(tmp_path: Path, address: str) -> None:
    config = loaded(tmp_path, f"MetricsAddress: '{address}'")
    manifest = compile_config(config, Programs("/a", "/b", "/c"), read_user_data(config)).manifest
    assert manifest.metrics_address == address
    assert Manifest.from_json(manifest.to_json(), "m").metrics_address == address


@pytest.mark.parametrize(
    "address", ["9818", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:9818", "http://a:1", "a:"]
)
def test_what_is_no_address_and_port_is_told(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigError) as error:
        loaded(tmp_path, f"MetricsAddress: '{address}'")
    (problem,) = error.value.problems
    assert problem.key == "slurm.Xio.Plugin.MetricsAddress"
    assert "127.0.0.1:9818" in problem.remedy


def test_a_manifest_of_before_has_none() -> None:
    config = load(SAMPLE).config
    manifest = compile_config(config, Programs("/a", "/b", "/c"), read_user_data(config)).manifest
    text = manifest.to_json().replace('  "metrics_address": null,\n', "")
    assert "metrics_address" not in text
    assert Manifest.from_json(text, "m") == manifest
