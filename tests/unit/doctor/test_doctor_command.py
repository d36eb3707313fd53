"""``xio doctor`` as a person and as a program call it, where there is neither Slurm nor an EMS."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest
from click.testing import CliRunner, Result
from msgspec import structs

from tests.unit.doctor.conftest import MANIFEST
from xio_slurm.commands.main import xio
from xio_slurm.desk.doctor.examination import CHECKS, question_of

ROOT = Path(__file__).parents[3]


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest whose EMS is on a closed port."""
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "none.conf"))
    (tmp_path / "state").mkdir()
    folders: dict[str, Any] = {"state_dir": str(tmp_path / "state")} | dict.fromkeys(
        ("log_dir", "slurm_bin_dir"), str(tmp_path)
    )
    path = tmp_path / "manifest.json"
    path.write_text(structs.replace(MANIFEST, ems_url="http://127.0.0.1:9", **folders).to_json())
    return path


def doctor(*arguments: str | Path) -> Result:
    return CliRunner().invoke(xio, ["doctor", *map(str, arguments)])


def findings(*arguments: str | Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(doctor(*arguments, "--json").stdout)["findings"]
    return found


def test_without_a_manifest_that_is_the_finding(tmp_path: Path) -> None:
    ended = doctor("--manifest", tmp_path / "none.json")
    assert ended.exit_code == 1
    assert ended.stdout.splitlines()[0].startswith(f"error: {tmp_path}/none.json: there is no manifest")
    assert ended.stdout.splitlines()[-1] == "1 check, 1 error"


def test_what_is_wrong_comes_with_what_mends_it_and_what_was_not_checked(manifest: Path) -> None:
    ended = doctor("--manifest", manifest)
    lines = ended.stdout.splitlines()
    assert ended.exit_code == 1
    assert lines[0].startswith("error: slurmctld doesn't answer: scontrol isn't in ")
    assert lines[1].startswith("    mend: ")
    assert any(line.startswith("error: the EMS at http://127.0.0.1:9: can't be reached") for line in lines)
    assert "not checked, since there is no slurm.conf here: give it with --slurm-conf:" in lines
    assert lines[-1].startswith(f"{len(CHECKS)} checks, ")
    assert "\x1b" not in ended.stdout


def test_lines_are_folded_on_a_terminal_between_words_and_never_in_a_pipe(manifest: Path) -> None:
    command = ["-I", "-m", "xio_slurm.commands", "doctor", "--manifest", str(manifest)]
    piped = subprocess.run((sys.executable, *command), capture_output=True, text=True, timeout=60, check=False).stdout
    terminal = pexpect.spawn(sys.executable, command, timeout=60, encoding="utf-8", dimensions=(50, 80))
    terminal.expect(pexpect.EOF)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", terminal.before or "").splitlines()
    assert max(map(len, piped.splitlines())) > 80
    assert [line for line in shown if len(line) > 80 and " " in line.strip()[10:]] == []
    assert any(line.startswith("    ") and not line.startswith("    mend: ") for line in shown)
    assert " ".join(" ".join(shown).split()) == " ".join(piped.split())


def test_a_program_gets_the_same_as_json(manifest: Path) -> None:
    ended = doctor("--manifest", manifest, "--json")
    document = json.loads(ended.stdout)
    assert (ended.exit_code, document["complete"], document["checks"]) == (1, False, len(CHECKS))
    assert {"severity", "area", "what", "mend"} == {*document["findings"][0]}
    assert {"question", "why"} == {*document["not_checked"][0]}


def test_nothing_is_changed(manifest: Path) -> None:
    before = sorted(manifest.parent.rglob("*"))
    doctor("--manifest", manifest)
    assert sorted(manifest.parent.rglob("*")) == before


def test_a_configuration_is_compared_with_what_is_deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "none.conf"))
    config = tmp_path / "xio.yaml"
    text = (ROOT / "etc" / "xio.yaml").read_text().replace("10.0.0.10", "127.0.0.1")
    config.write_text(text)
    assert CliRunner().invoke(xio, ["generate", "-c", str(config), "-o", str(tmp_path)]).exit_code == 0
    given = ("-c", config, "--manifest", tmp_path / "manifest.json")

    def told() -> list[str]:
        return [each["what"] for each in findings(*given) if each["area"] == "configuration"]

    assert f"{config}: isn't what is deployed" not in told()
    config.write_text(text.replace("PoolSize: 10", "PoolSize: 11", 1))
    assert told() == [f"{config}: isn't what is deployed"]
    config.write_text(text.replace("PoolSize: 10", "PoolSize: many", 1))
    assert "PoolSize" in told()[0]


def test_the_page_has_every_question() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text()
    assert [question_of(check) for check in CHECKS if f"| {question_of(check)} |" not in page] == []
