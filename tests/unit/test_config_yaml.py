"""What a file can be before it is a configuration: broken YAML, traps of its types, hostile nesting, no file at all."""

from pathlib import Path
from typing import Final

import pytest

from xio_slurm.config import load
from xio_slurm.errors import ConfigError, Problem

POOL: Final = """slurm:
  Xio:
    ManagementServerIp: 10.0.0.10
    DefaultImageName: rhel8
    Profiles:
      - {ProfileName: amd, InstanceTypes: [c6a, m6a], SpotFleetTypes: [c6a, m6a]}
    Pools:
      - PoolName: small
        ProfileName: amd
        CPUs: 2
        MaxMemory: 4000
"""


def _problems(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return caught.value.problems


def _only(tmp_path: Path, content: str | bytes) -> Problem:
    path = tmp_path / "xio.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    problems = _problems(path)
    assert len(problems) == 1, problems
    assert "\n" not in str(problems[0])
    return problems[0]


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("", 1, "is empty"),
        ("# nothing but a comment\n", 1, "is empty"),
        ("- a\n- b\n", 1, "has no keys"),
        ("just words\n", 1, "has no keys"),
        ("a: 1\nb: c: d\n", 2, "mapping values are not allowed"),
        ("a:\n  - b\n c: d\n", 3, "isn't YAML"),
        ("a: [1,\n", 2, "isn't YAML"),
        ("a: 'open\n", 2, "isn't YAML"),
        ("a:\n\t- b\n", 2, "isn't YAML"),
        ("a: 1\n---\nb: 2\n", 2, "isn't YAML"),
        ("a: *nowhere\n", 1, "undefined alias"),
        ('a: "\\UFFFFFFFF"\n', 1, "isn't YAML"),
        (b"a: 1\nb: \xe9\n", 2, "UTF-8"),
        (b"a: 1\nb: \x00\n", 2, "U+0000"),
        (b"\x7fELF\x02\x01\x01\x00", 1, "U+007F"),
        (b"\xff\xfes\x00l\x00", 1, "UTF-8"),
        ("a: " + "[" * 5000, 1, "nested deeper"),
        ("- " * 5000, 1, "nested deeper"),
        ("# " + "x" * 600_000, 0, "larger than 512 KiB"),
        ("Xio: {}\n", 1, "put 'slurm:' above it"),
        ("a: 1\nslrum: {}\n", 1, "did you mean slurm"),
        ("a: 1\nslurm:\n", 2, "has no keys"),
        ("a: 1\nslurm: {xio: {}}\n", 2, "did you mean Xio"),
        ("slurm:\n  ClusterName: c\n", 1, "neither Xio nor Xwo"),
        ("slurm:\n  Xio:\n", 2, "has no value"),
        ("slurm:\n  Xio: [1]\n", 2, "must be a mapping of keys"),
        ("slurm:\n  Xio: &x\n    Pools: *x\n", 2, "unfolds to too many values"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_file_that_is_no_configuration_is_refused_in_one_line(
    tmp_path: Path, content: str | bytes, line: int, words: str
) -> None:
    problem = _only(tmp_path, content)
    assert (problem.severity, problem.line) == ("error", line)
    assert words in problem.what + " " + problem.remedy
    assert problem.remedy


def test_aliases_that_unfold_without_end_are_refused(tmp_path: Path) -> None:
    names = "bcdefghijklmnop"
    lines = ["a: &a [x, x, x, x, x, x, x, x]"]
    lines += [
        f"{name}: &{name} [{', '.join(['*' + before] * 8)}]" for before, name in zip("a" + names, names, strict=False)
    ]
    lines += ["slurm: {Xio: {Pools: *p}}"]
    assert "unfolds to too many values" in _only(tmp_path, "\n".join(lines)).what


@pytest.mark.parametrize(
    ("path", "words"),
    [("/nonexistent/xio.yaml", "no such file"), ("/", "Is a directory"), ("/dev/zero", "larger than")],
)
def test_a_file_that_cannot_be_read_is_told(path: str, words: str) -> None:
    (problem,) = _problems(Path(path))
    assert words in problem.what
    assert str(problem).startswith(f"{path}: error: ")


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "words"),
    [
        ("CPUs: 2", "CPUs: 010", 10, "CPUs", "write 10, or 8 if it is meant in base 8"),
        ("CPUs: 2", "CPUs: 0x10", 10, "CPUs", "write 16"),
        ("CPUs: 2", "CPUs: 1_0", 10, "CPUs", "write 10"),
        ("CPUs: 2", "CPUs: 1e3", 10, "CPUs", "write 1000"),
        ("CPUs: 2", "CPUs: 1:30", 10, "CPUs", "write digits, such as 4"),
        ("CPUs: 2", "CPUs: 2.0", 10, "CPUs", "must be a whole number, not 2.0"),
        ("CPUs: 2", "CPUs: '2'", 10, "CPUs", "write 2 without quotes"),
        ("CPUs: 2", "CPUs: two", 10, "CPUs", "write digits, such as 4"),
        ("CPUs: 2", "CPUs: yes", 10, "CPUs", "not true"),
        ("CPUs: 2", "CPUs:", 10, "CPUs", "has no value"),
        ("CPUs: 2", "CPUs: ~", 10, "CPUs", "has no value"),
        ("CPUs: 2", "CPUs: .inf", 10, "CPUs", "write digits, such as 4"),
        ("CPUs: 2", "CPUs: [2]", 10, "CPUs", "not a list"),
        ("CPUs: 2", "CPUs: !!python/int 2", 10, "CPUs", "isn't plain"),
        ("CPUs: 2", "CPUs: " + "9" * 5000, 10, "CPUs", "too large"),
        ("small", "1e3", 8, "PoolName", "put it in quotes: '1e3'"),
        ("small", "010", 8, "PoolName", "put it in quotes: '010'"),
        ("small", "123", 8, "PoolName", "put it in quotes: '123'"),
        ("small", "on", 8, "PoolName", "put it in quotes: 'on'"),
        ("small", "No", 8, "PoolName", "put it in quotes: 'No'"),
        ("small", "2024-01-01", 8, "PoolName", "put it in quotes: '2024-01-01'"),
        ("small", "1.5", 8, "PoolName", "put it in quotes: '1.5'"),
        ("small", '"a\\nb"', 8, "PoolName", "letters, digits"),
        ("small", '"a\\ud800"', 8, "PoolName", ""),
        ("small", "~", 8, "PoolName", "has no value"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_value_that_yaml_reads_as_something_else_is_told(  # noqa: PLR0917 (a row of the table)
    tmp_path: Path, old: str, new: str, line: int, key: str, words: str
) -> None:
    problem = _only(tmp_path, POOL.replace(old, new))
    assert (problem.line, problem.key) == (line, f"slurm.Xio.Pools[0].{key}")
    assert words in problem.what + " " + problem.remedy


@pytest.mark.parametrize("name", ["'1e3'", "'on'", "'010'", "a.1", "1a", "'2024-01-01'"])
def test_quoted_it_is_a_name_like_any_other(tmp_path: Path, name: str) -> None:
    path = tmp_path / "xio.yaml"
    path.write_text(POOL.replace("small", name), encoding="utf-8")
    assert load(path).config.pools[0].name == name.strip("'")


def test_yes_and_no_are_booleans_where_one_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "xio.yaml"
    path.write_text(POOL.replace("{ProfileName", "{EnableHyperthreading: yes, ProfileName"), encoding="utf-8")
    assert load(path).config.profiles[0].enable_hyperthreading is True


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "first"),
    [
        ("CPUs: 2", "CPUs: 2\n        CPUs: 4", 11, "slurm.Xio.Pools.0.CPUs", 10),
        ("    Pools:", "    Profiles: []\n    Pools:", 7, "slurm.Xio.Profiles", 5),
        ("slurm:", "slurm: {}\nother: {}\nslurm:", 3, "slurm", 1),
        ("slurm:", "other: {a: 1, a: 2}\nslurm:", 1, "other.a", 1),
    ],
)
def test_a_key_that_is_there_twice_is_an_error(  # noqa: PLR0917 (a row of the table)
    tmp_path: Path, old: str, new: str, line: int, key: str, first: int
) -> None:
    problem = _only(tmp_path, POOL.replace(old, new, 1))
    assert (problem.line, problem.key.replace("[0]", ".0")) == (line, key)
    assert problem.what == f"is there twice, first in line {first}"


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "xio.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + POOL.replace("\n", "\r\n").encode())
    assert load(path).config.pools[0].cpus == 2


def test_a_pools_key_that_yaml_reads_as_something_else_is_meant_as_it_stands(tmp_path: Path) -> None:
    head, _, _ = POOL.partition("    Pools:")
    pool = "{ProfileName: amd, CPUs: 2, MaxMemory: 4000}"
    path = tmp_path / "xio.yaml"
    path.write_text(f"{head}    Pools:\n      8: {pool}\n      on: {pool}\n      010: {pool}\n", encoding="utf-8")
    assert [found.name for found in load(path).config.pools] == ["8", "on", "010"]
