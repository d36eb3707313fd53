"""``xio check`` as it is called: what it prints, and its exit codes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pexpect
import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
DATA: Final = ROOT / "tests" / "data" / "config"
SAMPLE: Final = ROOT / "etc" / "xio.yaml"
COMMAND: Final = (sys.executable, "-m", "xio_slurm.commands", "check")


def _run(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )


def _run_without_privilege(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run ``xio`` as somebody who can't read everything: root must give that away first."""
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root reads everything, and there is no setpriv here")
        prefix = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
    return subprocess.run(
        [*prefix, *COMMAND[:-1], *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.yaml"
    text = SAMPLE.read_text(encoding="utf-8").replace("CPUs: 4", "CPUs: 0").replace("x2idn:1", "xidn:1")
    path.write_text(text, encoding="utf-8")
    return path


def test_a_sound_file_is_summed_up() -> None:
    result = _run(SAMPLE)
    assert (result.returncode, result.stderr) == (0, "")
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["Pool", "Nodes", "CPUs", "MiB", "RealMemory", "GB", "Weight", "Profile"] in rows
    assert ["amd-8-gb-1-cores", "10", "1", "7200", "6800", "10", "66", "amd"] in rows
    assert "\nImage: res-demo-pc-3-10-1-rhel8-x86 (all pools)\n" in result.stdout
    assert result.stdout.endswith("xio.yaml: 0 errors, 0 warnings\n")
    assert all(len(line) <= 80 for line in result.stdout.splitlines()[:-1])


def test_nothing_is_folded_where_no_terminal_is(tmp_path: Path) -> None:
    pool, image = "a-pool-with-quite-a-long-name-such-as-people-give", "an-image-whose-name-is-as-long-as-its-history"
    text = SAMPLE.read_text(encoding="utf-8").replace("# ImageName: another-image", f"ImageName: {image}")
    path = tmp_path / "long.yaml"
    path.write_text(text.replace("intel-24core-350G", pool), encoding="utf-8")
    rows = [line.split() for line in _run(path).stdout.splitlines()]
    assert [row[-1] for row in rows if row and row[0] == "amd-8-gb-1-cores"] == [image]
    assert [row[-1] for row in rows if row and row[0] == pool] == ["res-demo-pc-3-10-1-rhel8-x86"]
    assert not any(row and row[0] == "Image:" for row in rows)


def test_on_a_terminal_our_sample_fits_80_columns() -> None:
    terminal = pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], "etc/xio.yaml"],
        cwd=str(ROOT),
        encoding="utf-8",
        timeout=60,
        dimensions=(24, 80),
        env={name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")},
    )
    lines = terminal.read().replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    terminal.close()
    assert all(len(line) <= 80 for line in lines)
    assert [len(line.split()) for line in lines[:6]] == [8] * 6


def test_without_a_file_it_takes_the_usual_one(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "xio.yaml").write_bytes(SAMPLE.read_bytes())
    result = _run(cwd=tmp_path)
    assert result.returncode == 0
    assert result.stdout.endswith("etc/xio.yaml: 0 errors, 0 warnings\n")


@pytest.mark.skipif(Path("/etc/xio/xio.yaml").exists(), reason="this machine has a configuration")
def test_without_any_usual_file_it_asks_for_one(tmp_path: Path) -> None:
    result = _run(cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "xio: there is neither etc/xio.yaml nor /etc/xio/xio.yaml: name it with -c FILE\n"


def test_errors_come_before_warnings_one_line_each(broken: Path) -> None:
    result = _run(broken)
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "Errors:"
    assert ": error: slurm.Xio.Pools[2].CPUs: is 0, and must be at least 1 (" in lines[1]
    assert lines[1].startswith(f"{broken}:")
    assert lines[2:4] == ["", "Warnings:"]
    assert all(": warning: slurm.Xio.Profiles[1]." in line for line in lines[4:6])
    assert lines[-1] == f"{broken}: 1 error, 2 warnings"
    assert "Pool  " not in result.stdout


def test_warnings_fail_only_if_asked_to() -> None:
    assert _run(DATA / "users-sample.yaml").returncode == 0
    assert _run("--strict", DATA / "users-sample.yaml").returncode == 1
    assert _run("--strict", SAMPLE).returncode == 0


def test_json_of_a_sound_file_holds_the_configuration() -> None:
    document = json.loads(_run("--json", SAMPLE).stdout)
    assert (document["ok"], document["errors"], document["warnings"]) == (True, [], [])
    assert document["config"]["pools"][4]["name"] == "intel-24core-350G"


def test_json_of_a_broken_file_holds_its_problems(broken: Path) -> None:
    result = _run("--json", broken)
    document = json.loads(result.stdout)
    assert result.returncode == 1
    assert (document["ok"], document["config"]) == (False, None)
    (error,) = document["errors"]
    line = broken.read_text(encoding="utf-8").splitlines()[error["line"] - 1]
    assert (error["key"], error["file"], line.strip()) == ("slurm.Xio.Pools[2].CPUs", str(broken), "CPUs: 0")
    assert len(document["warnings"]) == 2


def test_json_says_the_same_as_the_exit_code_when_warnings_fail() -> None:
    result = _run("--json", "--strict", DATA / "users-sample.yaml")
    assert (result.returncode, json.loads(result.stdout)["ok"]) == (1, False)


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing.yaml", "there is no such file"), (".", "Is a directory"), ("bad\udcff.yaml", "there is no such file")],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, name: str, words: str) -> None:
    result = _run(name, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (1, "")
    assert words in result.stdout
    assert "Traceback" not in result.stdout


@pytest.mark.parametrize("command", [("check",), ("generate", "-o", "out", "-c")], ids=lambda command: command[0])
def test_a_file_that_one_may_not_read_is_one_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "closed.yaml").write_bytes(SAMPLE.read_bytes())
    (tmp_path / "closed.yaml").chmod(0)
    result = _run_without_privilege(*command, "closed.yaml", cwd=tmp_path)
    assert result.returncode == 1, result.stderr
    assert "closed.yaml: error: can't be read: Permission denied" in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(Path("/etc/xio/xio.yaml").exists(), reason="this machine has a configuration")
def test_a_usual_file_in_a_closed_folder_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir(mode=0)
    result = _run_without_privilege("check", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("xio: there is neither etc/xio.yaml nor ")


def test_wrong_usage_is_exit_code_two() -> None:
    assert _run("--no-such-option").returncode == 2


def test_the_help_shows_examples() -> None:
    assert "xio check --strict my.yaml" in _run("--help").stdout


def test_there_is_no_colour_but_on_a_terminal(broken: Path) -> None:
    assert "\x1b[" not in _run(broken).stdout
    terminal = pexpect.spawn(COMMAND[0], [*COMMAND[1:], str(broken)], cwd=str(ROOT), encoding="utf-8", timeout=60)
    shown = terminal.read()
    terminal.close()
    assert terminal.exitstatus == 1
    assert "\x1b[31m error:\x1b[0m" in shown


def test_the_committed_schema_is_the_one_of_the_code() -> None:
    committed = (ROOT / "etc" / "xio.schema.json").read_text(encoding="utf-8")
    assert _run("--schema").stdout == committed, "run 'bin/xio check --schema > etc/xio.schema.json'"


def test_the_sample_names_its_schema() -> None:
    first = SAMPLE.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=xio.schema.json"
    assert (SAMPLE.parent / "xio.schema.json").is_file()
