"""The include line goes, and slurm.conf is byte for byte what it was."""

from pathlib import Path

import pytest

from xio_slurm.errors import DeployError
from xio_slurm.plan.include_line import put_include, take_include
from xio_slurm.slurm.conf import read

OURS = Path("/etc/xio/xio.nodes.conf")


@pytest.mark.parametrize(
    "before", [b"", b"A=1\n", b"A=1", b"A=1\r\n", b"A=1\r\nB=2", b"NodeName=n \\", b"NodeName=n \\\n", b"\xff\n"]
)
def test_what_was_put_is_taken_out_without_a_trace(tmp_path: Path, before: bytes) -> None:
    conf = tmp_path / "slurm.conf"
    conf.write_bytes(before)
    conf.chmod(0o640)
    status = conf.stat()
    assert put_include(read(str(conf), ours=str(OURS)), OURS) is not None
    take_include(read(str(conf), ours=str(OURS)), OURS)
    assert conf.read_bytes() == before
    assert (conf.stat().st_mode, conf.stat().st_uid) == (status.st_mode, status.st_uid)
    assert [path.name for path in tmp_path.iterdir()] == ["slurm.conf"]


def test_what_was_changed_since_stays_and_so_do_backups_of_something_else(tmp_path: Path) -> None:
    conf = tmp_path / "slurm.conf"
    conf.write_text("A=1\n")
    backup = put_include(read(str(conf), ours=str(OURS)), OURS)
    conf.write_text(f"A=1\ninclude {OURS}\nB=2\n")
    take_include(read(str(conf), ours=str(OURS)), OURS)
    assert conf.read_text() == "A=1\nB=2\n"
    assert backup is not None
    assert backup.read_text() == "A=1\n"


def test_a_line_that_is_another_files_is_named(tmp_path: Path) -> None:
    conf, other = tmp_path / "slurm.conf", tmp_path / "other.conf"
    conf.write_text(f"include {other}\n")
    other.write_text(f"Include   {OURS}\n")
    with pytest.raises(DeployError, match=r"other\.conf:1: isn't the line of 'xio apply'"):
        take_include(read(str(conf), ours=str(OURS)), OURS)
    assert conf.read_text() == f"include {other}\n"
