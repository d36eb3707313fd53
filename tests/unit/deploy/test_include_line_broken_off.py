"""Whatever ends the writing of slurm.conf, it is the old one or the new one, and the next run finishes it."""

import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xio_slurm.errors import DeployError
from xio_slurm.plan.include_line import put_include, why_not_writable
from xio_slurm.plan.replace_file import is_mount_point
from xio_slurm.slurm.conf import read

NOBODY = 65534
OURS = Path("/etc/xio/xio.nodes.conf")
FORK = multiprocessing.get_context("fork")
OLD = "ClusterName=x\n" + "# words\n" * 100
NEW = f"{OLD}include {OURS}\n"


def put(conf: Path) -> None:
    put_include(read(str(conf), ours=str(OURS)), OURS)


def in_a_child(work: Callable[[], object]) -> int | None:
    """The exit code of a process of its own; 17 for a DeployError in one line."""

    def run() -> None:
        try:
            work()
        except DeployError as error:
            os._exit(17 if "\n" not in str(error) else 18)
        os._exit(0)

    child = FORK.Process(target=run)
    child.start()
    child.join(60)
    return child.exitcode


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    path = tmp_path / "slurm.conf"
    path.write_text(OLD)
    return path


def kill_at(step: int, conf: Path) -> bool:
    """Put the line in a process that is killed at its step-th system call of interest; False: it came to its end."""
    left = step

    def mortal(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return wrapped

    def work() -> None:
        for where, names in ((os, ("fsync", "open", "fchmod")), (Path, ("replace", "unlink", "read_bytes"))):
            for name in names:
                setattr(where, name, mortal(getattr(where, name)))
        put(conf)

    code = in_a_child(work)
    assert code in {0, -signal.SIGKILL}
    return code != 0


def test_killed_at_any_step_it_is_old_or_new_and_the_next_run_puts_the_line_once(tmp_path: Path) -> None:
    step, seen = 1, set()
    while True:
        folder = tmp_path / str(step)
        folder.mkdir()
        conf = folder / "slurm.conf"
        conf.write_text(OLD)
        killed = kill_at(step, conf)
        assert conf.read_text() in {OLD, NEW}, step
        seen.add(conf.read_text())
        put(conf)
        assert conf.read_text() == NEW
        (backup,) = (path for path in folder.iterdir() if path.name.startswith("slurm.conf."))
        assert backup.read_text() == OLD
        others = {path.name for path in folder.iterdir()} - {conf.name, backup.name}
        assert all(name.startswith(".slurm.conf.xio-partial-") for name in others)
        if not killed:
            break
        step += 1
    assert step > 8
    assert seen == {OLD, NEW}


@pytest.mark.parametrize("room", [0, 100])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(conf: Path, room: int) -> None:
    def try_it() -> None:
        # To a writer, a file that may not grow is what a full disk is; Python turns the signal into an OSError.
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        put(conf)

    assert in_a_child(try_it) == 17
    assert conf.read_text() == OLD
    assert [path.name for path in conf.parent.iterdir()] == ["slurm.conf"]


def test_without_permission_it_is_one_line_and_known_before(conf: Path) -> None:
    conf.parent.chmod(0o555)

    def try_it() -> None:
        if os.geteuid() == 0:
            for folder in conf.parents:  # pytest's folders are closed to others
                if str(folder).startswith("/tmp/"):  # noqa: S108
                    folder.chmod(folder.stat().st_mode | 0o005)
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        assert why_not_writable(read(str(conf))) is not None
        put(conf)

    try:
        assert in_a_child(try_it) == 17
    finally:
        conf.parent.chmod(0o755)
    assert conf.read_text() == OLD


def test_who_reads_meanwhile_reads_the_old_file_whole(conf: Path) -> None:
    with conf.open() as reader:
        put(conf)
        assert reader.read() == OLD


def test_what_killed_runs_left_goes_once_it_is_old(conf: Path) -> None:
    old, young = (conf.with_name(f".slurm.conf.xio-partial-{name}") for name in ("old", "young"))
    for path in (old, young):
        path.write_text("")
    os.utime(old, (0, 0))
    put(conf)
    assert not old.exists()
    assert young.exists()


def test_a_slurm_conf_of_somebody_else_is_known_before(conf: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a file somebody else's")

    def try_it() -> None:
        for folder in conf.parents:
            if str(folder).startswith("/tmp/"):  # noqa: S108
                folder.chmod(folder.stat().st_mode | 0o007)
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        assert "belongs to user 0" in (why_not_writable(read(str(conf))) or "")

    assert in_a_child(try_it) == 0


def test_a_slurm_conf_that_is_mounted_by_itself_is_known_before(conf: Path) -> None:
    mounted = [line.split(" ")[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    assert all(is_mount_point(Path(point)) for point in mounted if "\\" not in point)
    assert not is_mount_point(conf)
