"""A bug becomes a file to send and an exit code, never a traceback on somebody's terminal."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from xio_slurm.bug_report import write_bug_report

BROKEN = (
    "import xio_slurm.commands.check as check, xio_slurm.commands.main as main, sys\n"
    "check.load = None\n"
    "sys.argv = ['xio', 'check', {path!r}]\n"
    "main.main()\n"
)


def test_a_bug_in_a_command_is_one_line_and_exit_code_3(tmp_path: Path) -> None:
    path = tmp_path / "not-for-the-report.yaml"
    path.write_text("slurm: {}")
    code = BROKEN.format(path=str(path))
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 3
    (line,) = ended.stderr.splitlines()
    assert line.startswith("xio: this is a bug of xio-slurm (TypeError): please send ")
    report = Path(line.rpartition(" ")[2])
    assert "Traceback" in report.read_text()
    assert "not-for-the-report" not in report.read_text()
    assert report.stat().st_mode & 0o077 == 0


def test_without_room_for_the_report_the_bug_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    said = write_bug_report(ValueError("what went\nwrong"))
    assert said == (
        "this is a bug of xio-slurm (ValueError), and its report can't be written (No such file or directory): "
        "what went wrong"
    )
