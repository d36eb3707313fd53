"""Files of our state are whole, for their owner alone, and never somebody else's."""

import subprocess
import sys
from pathlib import Path

import pytest

from xio_slurm.errors import LedgerError
from xio_slurm.private_files import read_file, replace_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "n-1.json"


def test_a_file_is_made_and_replaced(path: Path) -> None:
    replace_file(path, b"one\n")
    replace_file(path, b"two\n")
    assert read_file(path) == b"two\n"
    assert [each.name for each in path.parent.iterdir()] == ["n-1.json"]


@pytest.mark.parametrize("size", [0, 1, 65535])
def test_a_file_is_read_to_its_end(path: Path, size: int) -> None:
    replace_file(path, b"x" * size)
    assert read_file(path) == b"x" * size


def test_half_a_file_is_never_taken_for_all_of_it(path: Path) -> None:
    path.write_bytes(b"x" * 65537)
    with pytest.raises(OSError, match="File too large"):
        read_file(path)


def test_it_is_its_owners_alone(path: Path) -> None:
    path.write_text("open to all")
    path.chmod(0o644)
    replace_file(path, b"closed")
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_a_crash_left_is_in_nobodys_way(path: Path) -> None:
    path.with_suffix(".new").write_text("a longer text of a program that was killed")
    replace_file(path, b"new")
    assert path.read_text() == "new"
    assert [each.name for each in path.parent.iterdir()] == ["n-1.json"]


def test_no_link_leads_to_another_file(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "precious"
    other.write_text("precious")
    path.with_suffix(".new").symlink_to(other)
    with pytest.raises(LedgerError, match=r"n-1\.json: can't be written: Too many levels of symbolic links"):
        replace_file(path, b"new")
    assert other.read_text() == "precious"


def test_a_full_disk_keeps_the_old_content(path: Path) -> None:
    replace_file(path, b"old")
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from xio_slurm.private_files import replace_file\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "replace_file(Path(sys.argv[1]), b'x' * 100)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.stderr.splitlines()[-1].endswith("n-1.json: can't be written: File too large")
    assert path.read_text() == "old"
    assert [each.name for each in path.parent.iterdir()] == ["n-1.json"]


def test_a_folder_that_is_missing_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="can't be written: No such file or directory"):
        replace_file(tmp_path / "missing" / "a.json", b"x")
