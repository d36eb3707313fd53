"""How lines for people and errors for programs are printed."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from xio_slurm.commands.main import xio
from xio_slurm.commands.output import json_option, tell, with_command
from xio_slurm.errors import VmError, XioError

COMMAND = "xio image create --ami <AMI> --name rhel8"


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        (f"there is no image rhel8: {COMMAND}", ("there is no image rhel8:", f"    {COMMAND}")),
        ("no image: see 'xio image list'", ("no image: see 'xio image list'",)),
        ("xio: kept: delete it with: xio vm delete a", ("xio: kept: delete it with:", "    xio vm delete a")),
        ("node1: xio:rejected EMS 400", ("node1: xio:rejected EMS 400",)),
    ],
)
def test_a_command_at_a_lines_end_stands_alone(line: str, lines: tuple[str, ...]) -> None:
    assert with_command(line) == lines


def test_what_is_told_on_stderr_is_split_alike(capsys: pytest.CaptureFixture[str]) -> None:
    tell([f"note: so: {COMMAND}"])
    assert capsys.readouterr() == ("", f"note: so:\n    {COMMAND}\n")


@click.command()
@click.argument("node")
@json_option("Print JSON.")
def show(*, node: str, as_json: bool) -> None:
    """A command whose error has two lines."""
    raise VmError(f"{node} is\nnot there")


@pytest.mark.parametrize(("arguments", "document"), [(["--json"], True), ([], False)])
def test_an_error_is_a_document_where_one_was_asked_for(arguments: list[str], document: bool) -> None:
    ended = CliRunner().invoke(show, ["a", *arguments])
    assert isinstance(ended.exception, VmError)
    told = json.loads(ended.stdout) if ended.stdout else None
    assert told == ({"complete": False, "errors": ["a is", "not there"]} if document else None)


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["plan"],
        ["apply", "--yes"],
        ["generate", "-c", "none.yaml", "-o", "."],
        ["spot-score"],
        ["lab", "status", "--dir", "none"],
        ["vm", "list"],
        ["image", "list"],
    ],
    ids=" ".join,
)
def test_every_command_with_json_prints_its_error_so(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XIO_MANIFEST", str(tmp_path / "none.json"))
    monkeypatch.setattr("xio_slurm.commands.check.DEFAULT_FILES", (Path("a.yaml"), Path("b.yaml")))
    ended = CliRunner().invoke(xio, [*arguments, "--json"])
    assert isinstance(ended.exception, XioError), ended.output
    assert json.loads(ended.stdout) == {"complete": False, "errors": str(ended.exception).splitlines()}
