"""Both files or neither: also for two at once, a full disk, and a run that is killed at any of its steps."""

import multiprocessing
import os
import resource
import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from xio_slurm.deploy.compile import Compiled, compile_config, digest
from xio_slurm.deploy.publish import MANIFEST, NODE_DEFINITIONS, Deployed, Outcome, closed_to_others, publish, read
from xio_slurm.errors import DeployError
from xio_slurm.manifest import Manifest

NOBODY = 65534
FORK = multiprocessing.get_context("fork")


def files_of(compiled: Compiled) -> Deployed:
    return Deployed(compiled.node_definitions.encode(), compiled.manifest.to_json().encode())


def on_disk(folder: Path) -> Deployed:
    return Deployed((folder / NODE_DEFINITIONS).read_bytes(), (folder / MANIFEST).read_bytes())


def left_over(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {NODE_DEFINITIONS, MANIFEST, ".xio-generate.lock"}


def in_a_child(work: Callable[[], object]) -> int | None:
    """The exit code of a process of its own; 17 for a DeployError."""

    def run() -> None:
        try:
            work()
        except DeployError:
            os._exit(17)
        os._exit(0)

    child = FORK.Process(target=run)
    child.start()
    child.join(60)
    assert child.exitcode is not None
    return child.exitcode


def test_both_files_are_written_and_everybody_can_read_them(make: Any, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    mask = os.umask(0o077)
    try:
        assert publish(folder, make.compiled()) is Outcome.WRITTEN
    finally:
        os.umask(mask)
    assert on_disk(folder) == files_of(make.compiled()) == read(folder)
    assert [stat.S_IMODE((folder / name).stat().st_mode) for name in (NODE_DEFINITIONS, MANIFEST)] == [0o644, 0o644]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)] == [0o755, 0o755]
    assert not left_over(folder)


def test_a_folder_that_is_closed_to_others_is_known(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o750)
    closed = closed_to_others(tmp_path / "closed" / "new")
    assert tmp_path / "closed" in closed
    (tmp_path / "closed").chmod(0o751)
    assert set(closed) - set(closed_to_others(tmp_path / "closed" / "new")) == {tmp_path / "closed"}


def test_the_same_again_touches_nothing(make: Any, tmp_path: Path) -> None:
    publish(tmp_path, make.compiled())
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in (tmp_path, *tmp_path.iterdir())}
    assert publish(tmp_path, make.compiled()) is Outcome.UNCHANGED
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in (tmp_path, *tmp_path.iterdir())} == before


def test_a_replaced_file_keeps_its_mode_and_owner(make: Any, tmp_path: Path) -> None:
    publish(tmp_path, make.compiled())
    (tmp_path / MANIFEST).chmod(0o640)
    if os.geteuid() == 0:
        os.chown(tmp_path / MANIFEST, NOBODY, NOBODY)
    owner = (tmp_path / MANIFEST).stat()
    publish(tmp_path, make.compiled(make.pool("b")))
    now = (tmp_path / MANIFEST).stat()
    assert (now.st_mode, now.st_uid, now.st_gid) == (owner.st_mode, owner.st_uid, owner.st_gid)
    assert on_disk(tmp_path) == files_of(make.compiled(make.pool("b")))


def test_one_damaged_file_is_made_again_beside_the_other(make: Any, tmp_path: Path) -> None:
    publish(tmp_path, make.compiled())
    (tmp_path / NODE_DEFINITIONS).unlink()
    assert publish(tmp_path, make.compiled()) is Outcome.WRITTEN
    (tmp_path / MANIFEST).write_text("{")
    assert publish(tmp_path, make.compiled()) is Outcome.WRITTEN
    assert on_disk(tmp_path) == files_of(make.compiled())


def test_a_link_in_a_files_place_is_refused_and_what_it_leads_to_is_untouched(make: Any, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("precious")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / MANIFEST).symlink_to(other)
    with pytest.raises(DeployError, match="isn't a plain file"):
        publish(folder, make.compiled())
    assert other.read_text() == "precious"
    assert not (folder / NODE_DEFINITIONS).exists()
    assert not left_over(folder)


def test_a_link_laid_where_the_next_file_goes_is_not_followed(make: Any, tmp_path: Path) -> None:
    folder, other = tmp_path / "folder", tmp_path / "other"
    folder.mkdir()
    other.write_text("precious")
    for name in (f".{MANIFEST}.partial", f".{NODE_DEFINITIONS}.partial", f".{NODE_DEFINITIONS}.next"):
        (folder / name).symlink_to(other)
    assert publish(folder, make.compiled()) is Outcome.WRITTEN
    assert other.read_text() == "precious"
    assert not left_over(folder)


def test_a_file_in_the_folders_place_is_told_in_one_line(make: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DeployError, match=r"\A[^\n]*\Z"):
            publish(folder, make.compiled())


def test_an_unwritable_folder_is_told_and_stays_as_it_is(make: Any, tmp_path: Path) -> None:
    old = make.compiled()
    publish(tmp_path, old)
    tmp_path.chmod(0o555)
    new = make.compiled(make.pool("b"))

    def try_it() -> None:
        if os.geteuid() == 0:
            for folder in (tmp_path, *tmp_path.parents):  # pytest's folders are closed to others
                if str(folder).startswith("/tmp/"):  # noqa: S108
                    folder.chmod(folder.stat().st_mode | 0o005)
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        publish(tmp_path, new)

    try:
        assert in_a_child(try_it) == 17
    finally:
        tmp_path.chmod(0o755)
    assert on_disk(tmp_path) == files_of(old)
    assert not left_over(tmp_path)


@pytest.mark.parametrize("room", [0, 100, 5000])
def test_a_full_disk_leaves_the_old_files_and_nothing_else(make: Any, tmp_path: Path, room: int) -> None:
    old = make.compiled()
    publish(tmp_path, old)
    new = compile_config(make.config(make.pool("b")), make.programs, "#!/bin/sh\n" + "true\n" * 2000)

    def try_it() -> None:
        # To a writer, a file that may not grow is what a full disk is; Python turns the signal into an OSError.
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        publish(tmp_path, new)

    assert 100 < len(new.node_definitions) < 5000 < len(new.manifest.to_json())
    assert in_a_child(try_it) == 17
    assert on_disk(tmp_path) == files_of(old)
    assert not left_over(tmp_path)
    assert publish(tmp_path, new) is Outcome.WRITTEN


def kill_at(step: int, folder: Path, compiled: Compiled) -> bool:
    """Publish in a process that is killed at its step-th system call of interest; False: it came to its end."""
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
        for where, names in ((os, ("fsync", "open", "fchmod")), (Path, ("replace", "unlink"))):
            for name in names:
                setattr(where, name, mortal(getattr(where, name)))
        publish(folder, compiled)

    code = in_a_child(work)
    assert code in {0, -signal.SIGKILL}
    return code != 0


def test_a_run_that_is_killed_at_any_step_is_finished_or_undone_by_the_next(make: Any, tmp_path: Path) -> None:
    old, new, third = make.compiled(), make.compiled(make.pool("b")), make.compiled(make.pool("c"))
    step, seen = 1, set()
    while True:
        folder = tmp_path / str(step)
        publish(folder, old)
        killed = kill_at(step, folder, new)
        said = read(folder)
        assert said in {files_of(old), files_of(new)}, step
        seen.add(said == files_of(new))
        # The next run for what the folder has says so, and leaves nothing behind …
        outcome = publish(folder, new if said == files_of(new) else old)
        assert outcome is Outcome.UNCHANGED
        assert on_disk(folder) == said
        assert not left_over(folder)
        # … and one for something else does it.
        kill_at(step, folder, third)
        publish(folder, third)
        assert on_disk(folder) == files_of(third)
        assert not left_over(folder)
        if not killed:
            break
        step += 1
    assert step > 10
    assert seen == {True, False}


def test_two_files_of_which_only_one_was_moved_can_be_told_by_the_digest(make: Any, tmp_path: Path) -> None:
    publish(tmp_path, make.compiled())
    manifest = Manifest.read(str(tmp_path / MANIFEST))
    assert manifest.node_definitions_digest == digest((tmp_path / NODE_DEFINITIONS).read_bytes())
    (tmp_path / NODE_DEFINITIONS).write_text(make.compiled(make.pool("b")).node_definitions)
    assert manifest.node_definitions_digest != digest((tmp_path / NODE_DEFINITIONS).read_bytes())


def test_rubbish_that_looks_like_an_interrupted_run_is_thrown_away(make: Any, tmp_path: Path) -> None:
    publish(tmp_path, make.compiled())
    (tmp_path / f".{MANIFEST}.next").write_bytes(b"\xff{")
    (tmp_path / f".{NODE_DEFINITIONS}.next").write_text("NodeName=evil")
    assert read(tmp_path) == files_of(make.compiled())
    assert publish(tmp_path, make.compiled()) is Outcome.UNCHANGED
    assert on_disk(tmp_path) == files_of(make.compiled())
    assert not left_over(tmp_path)


def test_two_at_once_leave_a_pair_of_one_of_them(make: Any, tmp_path: Path) -> None:
    two = (make.compiled(make.pool("a")), make.compiled(make.pool("b")))

    def work(mine: Compiled) -> None:
        for _ in range(20):
            publish(tmp_path, mine)
            publish(tmp_path, make.compiled())
        publish(tmp_path, mine)

    children = [FORK.Process(target=work, args=(mine,)) for mine in two]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
    assert [child.exitcode for child in children] == [0, 0]
    assert on_disk(tmp_path) in [files_of(compiled) for compiled in two]
    assert not left_over(tmp_path)


def test_a_lock_that_is_held_is_waited_for_and_then_told(make: Any, tmp_path: Path) -> None:
    publish(tmp_path, make.compiled())
    with FileLock(tmp_path / ".xio-generate.lock"), pytest.raises(DeployError, match="another 'xio generate'"):
        publish(tmp_path, make.compiled(make.pool("b")), lock_timeout=0.2)
    assert on_disk(tmp_path) == files_of(make.compiled())


def test_what_somebody_else_wrote_since_the_plan_is_not_overwritten(make: Any, tmp_path: Path) -> None:
    publish(tmp_path, make.compiled())
    planned_on = read(tmp_path)
    publish(tmp_path, make.compiled(make.pool("theirs")))
    with pytest.raises(DeployError, match=r"\A[^\n]*somebody has changed the files[^\n]*plan again\Z"):
        publish(tmp_path, make.compiled(make.pool("ours")), planned_on=planned_on)
    assert on_disk(tmp_path) == files_of(make.compiled(make.pool("theirs")))
    assert publish(tmp_path, make.compiled(make.pool("theirs")), planned_on=planned_on) is Outcome.UNCHANGED
    assert publish(tmp_path, make.compiled(make.pool("ours")), planned_on=read(tmp_path)) is Outcome.WRITTEN
