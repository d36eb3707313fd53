"""What is done about starts that fail: from the file to the manifest, and back from there."""

from pathlib import Path
from typing import Final

import pytest
from msgspec import structs

from xio_slurm.config import load
from xio_slurm.config.model import Config
from xio_slurm.config.schema import PluginKeys
from xio_slurm.deploy.compile import compile_config, read_user_data
from xio_slurm.deploy.programs import Programs
from xio_slurm.errors import ConfigError
from xio_slurm.manifest import Manifest, Recovery

SAMPLE: Final = Path(__file__).resolve().parents[2] / "etc" / "xio.yaml"
FILE: Final = """slurm:
  Xio:
    ManagementServerIp: 10.0.0.10
    DefaultImageName: rhel8
    Profiles:
      - {ProfileName: amd, InstanceTypes: [c6a, m6a], SpotFleetTypes: [c6a, m6a]}
    Pools:
      - {PoolName: small, ProfileName: amd, CPUs: 2, MaxMemory: 4000}
    Plugin:
      SlurmBinDir: /usr/bin
"""
KEYS: Final = {
    "RetrySeconds": "retry_seconds",
    "BootTimeout": "boot_timeout",
    "CloseSeconds": "close_seconds",
    "LongestCloseSeconds": "longest_close_seconds",
    "BootFailures": "boot_failures",
    "FailedStarts": "failed_starts",
    "ReleaseSurplusNodes": "release_surplus",
    "OrphanGrace": "grace",
    "SyncInterval": "sync_interval",
    "MostDeletes": "most_deletes",
}


def loaded(tmp_path: Path, *lines: str) -> Config:
    path = tmp_path / "xio.yaml"
    path.write_text(FILE + "".join(f"      {line}\n" for line in lines), encoding="utf-8")
    return load(path).config


def test_every_part_of_it_has_a_key() -> None:
    assert {field.name for field in structs.fields(Recovery)} == set(KEYS.values())


def test_a_file_that_says_nothing_has_the_manifests_own_defaults(tmp_path: Path) -> None:
    assert loaded(tmp_path).plugin.recovery == Recovery()
    by_alias = {field.alias: field.default for field in PluginKeys.model_fields.values()}
    for key, name in KEYS.items():
        assert (by_alias[key] or 0) == getattr(Recovery(), name)


@pytest.mark.parametrize(("key", "name"), KEYS.items())
def test_a_key_changes_its_own_part_and_no_other(tmp_path: Path, key: str, name: str) -> None:
    default = getattr(Recovery(), name)
    value = not default if isinstance(default, bool) else 71
    recovery = loaded(tmp_path, f"{key}: {str(value).lower()}").plugin.recovery
    changed = {name for name in Recovery.__struct_fields__ if getattr(recovery, name) != getattr(Recovery(), name)}
    assert changed == {name}
    assert getattr(recovery, name) == value


def test_the_programs_read_what_the_file_says(tmp_path: Path) -> None:
    config = loaded(tmp_path, "BootTimeout: 300", "SyncInterval: 2.5", "FailedStarts: 0", "ReleaseSurplusNodes: false")
    programs = Programs.in_folder(Path("/opt/xio/bin"))
    written = compile_config(config, programs, read_user_data(config)).manifest.to_json()
    manifest = Manifest.from_json(written, "manifest.json")
    assert manifest.recovery == Recovery(boot_timeout=300.0, sync_interval=2.5, failed_starts=0, release_surplus=False)
    assert manifest.boot_timeout("small") == 300.0


def test_without_a_boot_timeout_it_follows_resume_timeout(tmp_path: Path) -> None:
    config = loaded(tmp_path, "ResumeTimeout: 1000")
    programs = Programs.in_folder(Path("/opt/xio/bin"))
    assert compile_config(config, programs, read_user_data(config)).manifest.boot_timeout("small") == 900.0


def test_a_boot_timeout_may_be_as_long_as_resume_timeout_lets_it(tmp_path: Path) -> None:
    assert loaded(tmp_path, "ResumeTimeout: 300", "BootTimeout: 299").plugin.recovery.boot_timeout == 299.0


def test_a_pool_may_have_a_boot_timeout_of_its_own(tmp_path: Path) -> None:
    config = loaded(tmp_path, "BootTimeout: 300", "PoolBootTimeouts: {small: 500}")
    programs = Programs.in_folder(Path("/opt/xio/bin"))
    written = compile_config(config, programs, read_user_data(config)).manifest.to_json()
    manifest = Manifest.from_json(written, "manifest.json")
    assert (manifest.boot_timeout("small"), manifest.boot_timeout("gone")) == (500.0, 300.0)


@pytest.mark.parametrize(
    ("line", "key", "told"),
    [
        ("PoolBootTimeouts: {small: 600}", "small", "is 600 s, and must be less than ResumeTimeout (600 s)"),
        ("PoolBootTimeouts: {smal: 300}", "smal", "is no pool of this file (did you mean small?)"),
        ("PoolBootTimeouts: {small: 0}", "small", "must be at least 1"),
        ("PoolBootTimeouts: 300", "", "mapping"),
    ],
)
def test_a_wrong_one_is_told(tmp_path: Path, line: str, key: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, line)
    (problem,) = (each for each in caught.value.problems if each.severity == "error")
    assert problem.key == f"slurm.Xio.Plugin.PoolBootTimeouts{f'.{key}' if key else ''}"
    assert told in str(problem)


def test_a_pool_may_be_closed_for_the_same_time_always(tmp_path: Path) -> None:
    recovery = loaded(tmp_path, "CloseSeconds: 120", "LongestCloseSeconds: 120").plugin.recovery
    assert (recovery.close_seconds, recovery.longest_close_seconds) == (120.0, 120.0)


def test_one_wrong_number_is_one_problem(tmp_path: Path) -> None:
    """What another key is held against isn't told a second time."""
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, "ResumeTimeout: 0", "BootTimeout: 700", "LongestCloseSeconds: 0", "CloseSeconds: 1000")
    keys = {problem.key for problem in caught.value.problems if problem.severity == "error"}
    assert keys == {"slurm.Xio.Plugin.ResumeTimeout", "slurm.Xio.Plugin.LongestCloseSeconds"}


@pytest.mark.parametrize("key", KEYS)
def test_the_sample_shows_every_key_with_its_default(key: str) -> None:
    (line,) = [line for line in SAMPLE.read_text(encoding="utf-8").splitlines() if f"#   {key}: " in line]
    shown = line.split(": ", 1)[1].split("#")[0].strip()
    default = 540 if key == "BootTimeout" else getattr(Recovery(), KEYS[key])
    assert shown == (str(default).lower() if isinstance(default, bool) else f"{default:g}")
