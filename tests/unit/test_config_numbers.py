"""What is proposed in a wrong number's place: a number of the right size, in the key's own unit."""

from pathlib import Path
from typing import Any, Final, get_args

import pytest

from xio_slurm.config import load
from xio_slurm.config.numbers import NUMBERS, number_remedy
from xio_slurm.config.schema import ImageKeys, Keys, PluginKeys, PoolKeys, ProfileKeys, SectionKeys
from xio_slurm.errors import ConfigError

FILE: Final = """slurm:
  Xio:
    ManagementServerIp: 10.0.0.10
    DefaultImageName: rhel8
    Profiles:
      - {ProfileName: amd, InstanceTypes: [c6a, m6a], SpotFleetTypes: [c6a, m6a]}
    Pools:
      - {PoolName: small, ProfileName: amd, CPUs: 2, MaxMemory: 4000}
"""


def _remedy(tmp_path: Path, text: str) -> str:
    path = tmp_path / "xio.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path)
    (problem,) = caught.value.problems
    return problem.remedy


@pytest.mark.parametrize(
    ("spelled", "remedy"),
    [
        ("32GB", "write MiB in digits, such as 30000"),
        ("'32 GiB'", "write MiB in digits, such as 30000"),
        ("1e4", "write 10000"),
        ("0x7530", "write 30000"),
        ("30_000", "write 30000"),
        ("010000", "write 10000, or 4096 if it is meant in base 8"),
        ("'010000'", "write 10000, or 4096 if it is meant in base 8"),
        ("'30000'", "write 30000 without quotes"),
        ("30000.0", "write 30000"),
        ("30000.5", "write MiB in digits, such as 30000"),
        ("1:30", "write MiB in digits, such as 30000"),
        (".inf", "write MiB in digits, such as 30000"),
        ("2026-01-01", "write MiB in digits, such as 30000"),
        ("true", "write MiB in digits, such as 30000"),
        ("9" * 40, "write MiB in digits, such as 30000"),
    ],
)
def test_memory_is_proposed_in_mib(tmp_path: Path, spelled: str, remedy: str) -> None:
    assert _remedy(tmp_path, FILE.replace("MaxMemory: 4000", f"MaxMemory: {spelled}")) == remedy


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("Plugin: {ResumeTimeout: 10m}", "write seconds in digits, such as 600"),
        ("Plugin: {ReadTimeout: 30s}", "write seconds in digits, such as 30"),
        ("Plugin: {ReadTimeout: .5}", "write 0.5"),
        ("Plugin: {ReadTimeout: 2.5e1}", "write 25"),
        ("Plugin: {ResumeRate: fast}", "write nodes a minute in digits, such as 100"),
        ("DefaultVolumeSize: 20GB", "write GB in digits, such as 20"),
        ("PoolSize: ten", "write digits, such as 10"),
        ("EnableHyperthreading: 0x1", "write true or false"),
    ],
)
def test_every_key_has_its_own_unit(tmp_path: Path, line: str, remedy: str) -> None:
    assert _remedy(tmp_path, f"{FILE}    {line}\n") == remedy


@pytest.mark.parametrize(
    ("text", "remedy"),
    [("0x4", "write 4"), ("0b100", "write 4"), ("0o4", "write 4"), ("007", "write 7"), ("089", "write 89")],
)
def test_a_number_in_another_notation_is_proposed_plainly(text: str, remedy: str) -> None:
    assert number_remedy("CPUs", text, whole=True) == remedy


@pytest.mark.parametrize("text", ["1e99", "0x" + "f" * 17, "-0x4", "1e-3", "0x", "1__0", "", "٣", "1e999999999"])
def test_where_there_is_doubt_the_example_is_proposed(text: str) -> None:
    assert number_remedy("CPUs", text, whole=True) == "write digits, such as 4"


@pytest.mark.parametrize("model", [ImageKeys, ProfileKeys, PoolKeys, PluginKeys, SectionKeys])
def test_every_key_that_takes_a_number_has_an_example(model: type[Keys]) -> None:
    def takes_a_number(annotation: Any) -> bool:
        parts = get_args(annotation)
        return annotation in (int, float) or any(takes_a_number(part) for part in parts)

    fields = model.model_fields.values()
    keys = {field.alias for field in fields if takes_a_number(field.annotation)}
    assert keys <= set(NUMBERS)
    assert keys
