"""Files that people name, and the wrong ones among them."""

import os
from pathlib import Path

import pytest

from xio_slurm.errors import VmError
from xio_slurm.small_file import read_small_file, read_small_text


def test_it_is_read_whole_up_to_the_most(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 2048)
    assert read_small_file(path, "the script", 2048, VmError) == b"x" * 2048
    with pytest.raises(VmError, match=f"{path}: the script is larger than 1 KiB"):
        read_small_file(path, "the script", 2047, VmError)


@pytest.mark.timeout(20)
def test_nothing_waits_for_a_pipes_other_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(VmError, match="fifo: the script isn't a plain file"):
        read_small_file(tmp_path / "fifo", "the script", 10, VmError)


@pytest.mark.parametrize(("name", "why"), [("none", "No such file"), ("a\0b", "that is no file's name")])
def test_what_cannot_be_opened_is_one_line(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(VmError, match=f"the script can't be read: {why}") as raised:
        read_small_text(tmp_path / name, "the script", 10, VmError)
    assert "\n" not in str(raised.value)


def test_a_caller_can_refuse_a_file_for_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xff")
    with pytest.raises(VmError, match="a: it has 1 byte"):
        read_small_file(tmp_path / "a", "the key", 10, VmError, unless=lambda about: f"it has {about.st_size} byte")
    with pytest.raises(VmError, match="a: the key isn't UTF-8 text"):
        read_small_text(tmp_path / "a", "the key", 10, VmError)
