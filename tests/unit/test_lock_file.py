"""A lock of the state folder: held by one, whoever the others are, and let go however its holder ends."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock, Timeout
from pytest_mock import MockerFixture

from xio_slurm.deadline import Deadline
from xio_slurm.lock_file import lock

_HOLDER = """
import sys, time
from pathlib import Path
from xio_slurm.deadline import Deadline
from xio_slurm.lock_file import lock
held = lock(Path(sys.argv[1]), Deadline.after(0))
print("held" if held else "not held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "node.lock"


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", _HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_one_process_holds_it(path: Path, holder: subprocess.Popen[str]) -> None:
    began = time.monotonic()
    assert lock(path, Deadline.after(0.2)) is None
    assert time.monotonic() - began >= 0.2


def test_it_ends_with_its_process(path: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    assert lock(path, Deadline.after(30)) is not None


def test_who_waits_gets_it_once_it_is_free(path: Path) -> None:
    held = lock(path, Deadline.after(0))
    assert held is not None
    later = threading.Timer(0.2, held.release)
    later.start()
    assert lock(path, Deadline.after(30)) is not None
    later.join()


def test_threads_of_one_process_exclude_each_other(path: Path) -> None:
    inside = []
    most = []

    def work() -> None:
        for _ in range(20):
            held = lock(path, Deadline.after(60))
            assert held is not None
            inside.append(1)
            most.append(len(inside))
            inside.pop()
            held.release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 80
    assert set(most) == {1}


def test_release_frees_it_although_a_child_has_the_descriptor(path: Path) -> None:
    held = lock(path, Deadline.after(0))
    assert held is not None
    inherited = [int(name) for name in os.listdir("/proc/self/fd") if _leads_to(name, path)]  # noqa: PTH208
    assert len(inherited) == 1
    child = subprocess.Popen(["/bin/sleep", "600"], pass_fds=inherited)
    try:
        held.release()
        assert lock(path, Deadline.after(0)) is not None
    finally:
        child.kill()
        child.wait()


def test_a_file_server_that_is_gone_undoes_nothing(path: Path, mocker: MockerFixture) -> None:
    held = lock(path, Deadline.after(0))
    assert held is not None
    gone = mocker.patch("xio_slurm.lock_file.fcntl.flock", side_effect=OSError(errno.EIO, "Input/output error"))
    held.release()
    gone.assert_called_once()
    mocker.stopall()
    assert lock(path, Deadline.after(0)) is not None


def test_no_child_gets_it_unasked(path: Path) -> None:
    held = lock(path, Deadline.after(0))
    assert held is not None
    command = ["sh", "-c", "ls -l /proc/self/fd"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, close_fds=False).stdout
    assert str(path) not in listed
    held.release()


def test_nobody_waits_for_a_file_that_was_removed(path: Path, holder: subprocess.Popen[str]) -> None:
    path.unlink()
    assert lock(path, Deadline.after(0)) is not None


def test_its_file_is_ours_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        assert lock(path, Deadline.after(0)) is not None
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("name", "why"), [("missing/node.lock", "No such file"), ("link", "symbolic links"), (".", "Is a directory")]
)
def test_where_nobody_can_that_is_told(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=why):
        lock(tmp_path / name, Deadline.after(0))
    assert not (tmp_path / "elsewhere").exists()


def test_no_descriptor_is_left_by_one_that_is_held(path: Path, holder: subprocess.Popen[str]) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    assert lock(path, Deadline.after(0.1)) is None
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_programs_of_earlier_versions_and_ours_exclude_each_other(path: Path) -> None:
    """They took their locks with filelock, and a sync of theirs may still run."""
    with FileLock(path):
        assert lock(path, Deadline.after(0)) is None
    held = lock(path, Deadline.after(0))
    assert held is not None
    with pytest.raises(Timeout):
        FileLock(path, timeout=0).acquire()
    held.release()
    with FileLock(path, timeout=0):
        pass


def _leads_to(descriptor: str, path: Path) -> bool:
    try:
        return Path(f"/proc/self/fd/{descriptor}").resolve() == path.resolve()
    except OSError:
        return False
