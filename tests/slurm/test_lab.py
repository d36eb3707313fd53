"""The lab itself: what it leaves behind, whatever happens to it, and that several of them don't meet."""

import json
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pexpect
import psutil
import pytest

from tests.slurm.waiting import wait_for
from xio_slurm.errors import LabError
from xio_slurm.lab import Lab, LabOptions, Timing

XIO = Path(__file__).resolve().parents[2] / "bin" / "xio"
NODE = "xspot-vm-amd-8-gb-1-cores-1"
SRUN = ("srun", "-p", "xio-amd-8-gb-1-cores")
SHORT = Timing(resume_timeout=45, suspend_timeout=2, suspend_time=2)


def mentioning(text: str) -> list[str]:
    """Every process, but this one and zombies, whose command line or environment holds the text."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            words = [*process.cmdline(), *process.environ().values()]
            if any(text in word for word in words):
                found.append(f"{process.pid} {' '.join(process.cmdline())}")
    return found


def until(what: str, condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def xio_lab(*arguments: str | Path, user: str | None = None) -> subprocess.CompletedProcess[str]:
    command = (XIO, "lab", *arguments)
    if user is None:
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        user=user,
        group=pwd.getpwnam(user).pw_gid,
        extra_groups=(),
        env={**os.environ, "HOME": "/nonexistent"},
    )


def test_a_node_of_a_running_lab_goes_with_its_job_when_the_lab_goes(lab_path: Path) -> None:
    lab = Lab.up(LabOptions(lab_path, timing=SHORT))
    # A job that does all it can to outlive its step.
    job = "setsid sleep 98765 & echo begun; sleep 98765"
    with subprocess.Popen((*SRUN, "sh", "-c", job), env=lab.environment, stdout=subprocess.PIPE, text=True) as srun:
        assert srun.stdout is not None
        assert srun.stdout.readline() == "begun\n"
        lab.down()
        srun.wait(30)
    assert not lab_path.exists()
    assert mentioning(str(lab_path)) == []
    assert mentioning("98765") == []


def test_labs_side_by_side_run_jobs_each_on_its_own_node(make_lab: Callable[..., Lab]) -> None:
    with ThreadPoolExecutor() as pool:
        labs = [future.result() for future in [pool.submit(make_lab) for _ in range(2)]]
        jobs = list(pool.map(lambda lab: lab.run(*SRUN, "hostname"), labs))
    assert [job.stdout for job in jobs] == [f"{NODE}\n"] * 2, [job.stderr for job in jobs]
    for lab in labs:
        assert lab.vms() == (NODE,)
        assert [event["event"] for event in lab.history()] == ["vm-asked", "vm-up"]
    labs[0].down()
    assert labs[1].run(*SRUN, "hostname").stdout == f"{NODE}\n"


def test_a_second_up_says_so_and_leaves_the_first_alone(lab: Lab) -> None:
    before = lab.status()
    again = xio_lab("up", "--dir", lab.layout.folder)
    assert again.returncode == 1
    assert "a lab runs there already" in again.stderr
    assert lab.status().daemons == before.daemons
    assert lab.status().running


def half_way_up(lab_path: Path, tmp_path: Path) -> subprocess.Popen[bytes]:
    """An ``up`` that got as far as its EMS, and no further: its scenario is a pipe that nobody fills."""
    pipe = tmp_path / "scenario.yaml"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    up = subprocess.Popen((XIO, "lab", "up", "--dir", lab_path, "--scenario", pipe), stdout=subprocess.DEVNULL)
    until("a munged that serves", (lab_path / "munge" / "munge.sock").exists)
    return up


def test_an_up_that_was_killed_is_cleared_by_down_and_by_up(lab_path: Path, tmp_path: Path) -> None:
    for clear in ("down", "up"):
        with half_way_up(lab_path, tmp_path) as killed:
            killed.kill()
        assert any("munged" in line for line in mentioning(f"{lab_path}/munge"))
        assert xio_lab(clear, "--dir", lab_path).returncode == 0
        if clear == "up":
            assert xio_lab("run", "--dir", lab_path, "--", "scontrol", "ping").stdout.count("UP") == 1
            assert xio_lab("down", "--dir", lab_path).returncode == 0
        assert not lab_path.exists()
        assert mentioning(str(lab_path)) == []


def test_an_up_that_was_killed_at_its_last_step_is_cleared_by_the_next(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    lab.layout.record.unlink()  # all of it runs, and nothing says so
    again = xio_lab("up", "--dir", lab.layout.folder)
    assert again.returncode == 0, again.stderr
    assert len([line for line in mentioning(f"{lab.layout.munge}/key") if "munged" in line]) == 1


def test_an_up_that_is_interrupted_leaves_nothing(lab_path: Path, tmp_path: Path) -> None:
    with half_way_up(lab_path, tmp_path) as interrupted:
        interrupted.send_signal(signal.SIGINT)
        assert interrupted.wait(60) != 0
    assert not lab_path.exists()
    assert mentioning(str(lab_path)) == []


def test_an_up_that_fails_gives_slurms_own_reason_and_leaves_nothing(lab_path: Path) -> None:
    options = LabOptions(lab_path, slurm_conf="PartitionName=lost Nodes=nosuch-1\n")
    with pytest.raises(
        LabError, match=r"^slurmctld ended at once: fatal: Invalid node names in partition lost$"
    ) as failure:
        Lab.up(options)
    assert "\n" not in str(failure.value)
    assert not lab_path.exists()
    assert mentioning(str(lab_path)) == []


def test_a_folder_of_somebody_elses_files_is_never_touched(lab_path: Path) -> None:
    lab_path.mkdir()
    precious = lab_path / "precious"
    precious.write_text("mine")
    for action in ("up", "down"):
        result = xio_lab(action, "--dir", lab_path)
        assert result.returncode == 1
        assert str(lab_path) in result.stderr
    assert [path.name for path in lab_path.iterdir()] == ["precious"]
    precious.unlink()
    lab_path.rmdir()


def test_a_symbolic_link_is_not_followed(lab_path: Path, tmp_path: Path) -> None:
    lab_path.symlink_to(tmp_path)
    result = xio_lab("up", "--dir", lab_path)
    lab_path.unlink()
    assert result.returncode == 1
    assert "symbolic link" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_path_too_long_for_sockets_is_told_before_anything_starts(lab_path: Path) -> None:
    result = xio_lab("up", "--dir", f"{lab_path}-{'x' * 80}")
    assert result.returncode == 1
    assert "too long for the sockets" in result.stderr
    assert mentioning(str(lab_path)) == []


def test_run_ends_with_the_commands_exit_code_and_reaches_its_terminal(lab: Lab) -> None:
    place = ("--dir", lab.layout.folder)
    assert xio_lab("run", *place, "--", "sh", "-c", "exit 7").returncode == 7
    assert xio_lab("run", *place, "--", "sinfo", "-h", "-o", "%R").stdout.startswith("xio-amd-8-gb-1-cores\n")
    missing = xio_lab("run", *place, "--", "no-such-command")
    assert missing.returncode == 1
    assert missing.stderr == "xio: no-such-command: can't be run: No such file or directory\n"
    terminal = pexpect.spawn(str(XIO), ["lab", "run", *map(str, place), "--", "sh", "-c", "tty && read x && exit $x"])
    terminal.expect("/dev/pts/")
    terminal.sendline("5")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 5


def test_status_tells_what_runs_and_what_does_not(lab: Lab) -> None:
    place = ("--dir", lab.layout.folder)
    told = json.loads(xio_lab("status", *place, "--json").stdout)
    assert told["running"] is True
    assert sum(told["nodes"].values()) == 53
    assert set(told["daemons"]) == {"munged", "slurmctld", "emulator"}
    lab.kill_slurmctld()
    without = xio_lab("status", *place)
    assert without.returncode == 1
    assert "slurmctld   doesn't run" in without.stdout
    lab.start_slurmctld()
    assert xio_lab("status", *place).returncode == 0


def test_a_job_spans_both_families_and_each_program_gets_its_own_nodes(lab: Lab) -> None:
    job = lab.run("srun", "-p", "mixed", "-w", f"pc-1,{NODE}", "hostname")
    assert sorted(job.stdout.split()) == ["pc-1", NODE], job.stderr
    calls = [json.loads(line) for line in lab.layout.delegated_calls.read_text().splitlines()]
    assert [(call["program"], call["nodes"], call["refused"]) for call in calls] == [("resume", ["pc-1"], [])]
    assert NODE not in json.dumps(calls[0]["resume_file"])
    assert lab.vms() == (NODE,)


def test_the_delegated_program_refuses_a_call_that_speaks_of_other_nodes(lab: Lab) -> None:
    before = lab.layout.delegated_calls.read_text() if lab.layout.delegated_calls.exists() else ""
    refused = lab.run(lab.layout.bin / "pc-resume", f"pc-2,{NODE}")
    assert refused.returncode == 3
    call = json.loads(lab.layout.delegated_calls.read_text().removeprefix(before))
    assert call["refused"] == [NODE]
    lab.layout.delegated_calls.write_text(before)


def test_jobs_get_a_terminal(lab: Lab) -> None:
    arguments = ["lab", "run", "--dir", str(lab.layout.folder), "--", *SRUN, "--pty", "sh"]
    terminal = pexpect.spawn(str(XIO), arguments, timeout=90)
    terminal.expect("[#$] ")
    terminal.sendline("echo $(hostname) $(test -t 0 && echo has a terminal); exit 4")
    terminal.expect(f"{NODE[:-1]}\\d has a terminal")  # an earlier test's node may be on its way down
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 4


def test_a_job_outlives_a_crash_of_slurmctld(lab: Lab) -> None:
    with subprocess.Popen(
        (*SRUN, "sh", "-c", "echo begun; sleep 12; echo ended"), env=lab.environment, stdout=subprocess.PIPE, text=True
    ) as srun:
        assert srun.stdout is not None
        assert srun.stdout.readline() == "begun\n"
        begun = time.time()
        # What slurmctld hasn't saved yet, nobody could have it know after a crash; it saves within 5 seconds.
        saved = (lab.layout.slurm_state / "job_state", lab.layout.slurm_state / "node_state")
        wait_for(lambda: all(file.stat().st_mtime > begun for file in saved) or time.time() > begun + 7, 10)
        lab.kill_slurmctld()
        lab.start_slurmctld()
        assert srun.stdout.read() == "ended\n"
        assert srun.wait(60) == 0
    assert lab.status().running


def test_sync_is_at_work_where_it_is_wanted(lab_path: Path) -> None:
    assert xio_lab("up", "--dir", lab_path, "--sync").returncode == 0
    told = json.loads(xio_lab("status", "--dir", lab_path, "--json").stdout)
    assert told["running"]
    sync = psutil.Process(told["daemons"]["xio sync"])
    assert xio_lab("down", "--dir", lab_path).returncode == 0
    assert not sync.is_running() or sync.status() == psutil.STATUS_ZOMBIE


def test_a_missing_lab_is_no_traceback(lab_path: Path) -> None:
    for action in ("status", "run"):
        result = xio_lab(action, "--dir", lab_path, *(("--", "true") if action == "run" else ()))
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr == f"xio: {lab_path}: no lab is up there: make one with 'xio lab up'\n"
    assert xio_lab("down", "--dir", lab_path).stdout == f"There is no lab in {lab_path}\n"


def test_a_user_who_is_not_root_has_a_lab_too(lab_path: Path) -> None:
    # Slurm 26.05 has no "nobody". Whoever runs this else is not root.
    user = "daemon" if os.getuid() == 0 else None
    if user and subprocess.run((XIO, "--version"), user=user, capture_output=True, check=False).returncode:
        pytest.skip(f"user {user} can't read this checkout")
    up = xio_lab("up", "--dir", lab_path, user=user)
    assert up.returncode == 0, up.stderr
    try:
        job = xio_lab("run", "--dir", lab_path, "--", *SRUN, "printenv", "SLURMD_NODENAME", user=user)
        assert (job.stdout, job.returncode) == (f"{NODE}\n", 0)
        assert lab_path.stat().st_uid != 0
    finally:
        down = xio_lab("down", "--dir", lab_path, user=user)
    assert down.returncode == 0, down.stderr
    assert mentioning(str(lab_path)) == []
