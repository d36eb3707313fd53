"""Slurm's commands as our programs run them: stand-ins that behave as badly as a command can."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from xio_slurm.errors import SlurmError
from xio_slurm.slurm.command import daemon, run
from xio_slurm.slurm.jobs import Job, is_running, jobs_on, parse_jobs
from xio_slurm.slurm.version import Version, installed, parse


def stand_in(folder: Path, name: str, body: str) -> str:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(folder)


def test_what_a_command_prints_comes_back(tmp_path: Path) -> None:
    folder = stand_in(tmp_path, "scontrol", 'printf "%s|" "$@"')
    assert run(folder, "scontrol", "a b", "$HOME", "", slurm_conf=None, timeout=10) == "a b|$HOME||"


def test_it_gets_slurm_conf_in_the_c_locale_without_a_persons_formats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stand_in(tmp_path, "scontrol", "env")
    monkeypatch.setenv("SLURM_CONF", "/old")
    monkeypatch.setenv("LC_ALL", "de_DE")
    for name in ("SQUEUE_FORMAT", "SLURM_CLUSTERS", "SLURM_TIME_FORMAT"):
        monkeypatch.setenv(name, "x")
    lines = run(folder, "scontrol", slurm_conf="/new", timeout=10).splitlines()
    assert "SLURM_CONF=/new" in lines
    assert "LC_ALL=C" in lines
    assert not [line for line in lines if line.startswith(("SQUEUE_", "SLURM_CLUSTERS", "SLURM_TIME"))]
    assert "SLURM_CONF=/old" in run(folder, "scontrol", slurm_conf=None, timeout=10)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("echo; echo first >&2; echo second >&2; exit 3", r"scontrol update: exit code 3: first\Z"),
        ("echo only on stdout; exit 1", r"exit code 1: only on stdout\Z"),
        ("exit 1", r"exit code 1\Z"),
        ("kill -9 $$", r"ended by SIGKILL\Z"),
    ],
)
def test_a_failure_is_one_line(tmp_path: Path, body: str, message: str) -> None:
    folder = stand_in(tmp_path, "scontrol", body)
    with pytest.raises(SlurmError, match=message) as caught:
        run(folder, "scontrol", "update", slurm_conf=None, timeout=10)
    assert "\n" not in str(caught.value)


def test_a_long_command_is_shortened_in_the_message(tmp_path: Path) -> None:
    folder = stand_in(tmp_path, "scontrol", "exit 1")
    with pytest.raises(SlurmError) as caught:
        run(folder, "scontrol", "x" * 5000, "a\nb", slurm_conf=None, timeout=10)
    assert len(str(caught.value)) < 200


def test_a_command_that_is_missing_or_no_program_is_told(tmp_path: Path) -> None:
    with pytest.raises(SlurmError, match=f"scontrol isn't in {tmp_path}"):
        run(str(tmp_path), "scontrol", slurm_conf=None, timeout=10)
    (tmp_path / "scontrol").write_text("")
    with pytest.raises(SlurmError, match="can't be run"):
        run(str(tmp_path), "scontrol", slurm_conf=None, timeout=10)


def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    folder = stand_in(tmp_path, "scontrol", f"sleep 300 & echo $! > {mark}; wait")
    begin = time.monotonic()
    with pytest.raises(SlurmError, match=r"no answer within 1 s"):
        run(folder, "scontrol", slurm_conf=None, timeout=1)
    assert time.monotonic() - begin < 60
    assert not alive(int(mark.read_text()))


def alive(pid: int) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except FileNotFoundError:
            return False
        time.sleep(0.05)
    return True


def test_closed_descriptors_and_an_empty_environment_are_no_hindrance(tmp_path: Path) -> None:
    folder = stand_in(tmp_path, "scontrol", "cat; echo out; echo err >&2")
    code = (
        "import os, sys\nfor number in range(3): os.close(number)\n"
        "from xio_slurm.slurm.command import run\n"
        "text = run(sys.argv[1], 'scontrol', slurm_conf=None, timeout=30)\n"
        "os.write(os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT), text.encode())\n"
    )
    subprocess.run((sys.executable, "-c", code, folder, tmp_path / "out"), env={}, cwd="/", check=True)
    assert (tmp_path / "out").read_text() == "out\n"


def test_bytes_that_are_no_utf8_come_through(tmp_path: Path) -> None:
    folder = stand_in(tmp_path, "scontrol", r"printf 'a\377b'")
    assert run(folder, "scontrol", slurm_conf=None, timeout=10) == "a\ufffdb"


def test_the_daemons_are_found_beside_the_commands_or_next_to_them(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    stand_in(tmp_path / "sbin", "slurmctld", "")
    assert daemon(str(tmp_path / "bin"), "slurmctld") == str(tmp_path / "sbin" / "slurmctld")
    stand_in(tmp_path / "bin", "slurmctld", "")
    assert daemon(str(tmp_path / "bin"), "slurmctld") == str(tmp_path / "bin" / "slurmctld")
    assert daemon(str(tmp_path / "bin"), "no-such-daemon") is None


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("slurm-wlm 22.05.8\n", Version(22, 5, 8)),
        ("slurm 24.11.5", Version(24, 11, 5)),
        ("slurm 25.05.0-0rc1", Version(25, 5, 0)),
        ("slurm 26.05", Version(26, 5)),
        ("", None),
        ("something else 1.2.3", None),
    ],
)
def test_versions_are_read(text: str, version: Version | None) -> None:
    assert parse(text) == version


def test_versions_compare_as_releases() -> None:
    assert Version(22, 5, 11) < Version(23, 2) < Version(23, 11) < Version(24, 5)
    assert str(Version(22, 5, 8)) == "22.05.8"


def test_the_installed_slurm_is_asked_without_a_slurm_conf() -> None:
    version = installed("/usr/bin", slurm_conf=None)
    assert version is not None
    assert version >= Version(21, 8)


def test_without_slurmctld_the_clients_are_asked(tmp_path: Path) -> None:
    stand_in(tmp_path / "sbin", "slurmctld", "echo nothing")
    folder = stand_in(tmp_path / "bin", "scontrol", "echo slurm 23.02.1")
    assert installed(folder, slurm_conf=None) is None
    assert parse(run(folder, "scontrol", "--version", slurm_conf=None, timeout=10)) == Version(23, 2, 1)


SQUEUE = """\
12|12|ann|RUNNING|1|xio:|a-[1-3]|
13_4|17|bob|COMPLETING|1|    |b-1|
14|14|eve|CONFIGURING|0|thei||
"""


def test_jobs_are_read() -> None:
    assert parse_jobs(SQUEUE) == (
        Job("12", 12, "ann", "RUNNING", batch=True, comment="xio:", nodes=("a-1", "a-2", "a-3")),
        Job("13_4", 17, "bob", "COMPLETING", batch=True, comment="", nodes=("b-1",)),
        Job("14", 14, "eve", "CONFIGURING", batch=False, comment="thei", nodes=()),
    )
    assert parse_jobs("\n") == ()


@pytest.mark.parametrize("text", ["12|ann|RUNNING", "12|twelve|ann|RUNNING|1||a-1|", "slurm_load_jobs error"])
def test_a_line_that_is_no_job_is_an_error_and_not_left_out(text: str) -> None:
    with pytest.raises(SlurmError, match="squeue printed"):
        parse_jobs(text)


def test_only_the_jobs_on_the_asked_nodes_are_given(tmp_path: Path) -> None:
    (tmp_path / "text").write_text(SQUEUE)
    folder = stand_in(tmp_path, "squeue", f"cat {tmp_path}/text")
    assert [job.id for job in jobs_on(["a-2", "c"], folder, slurm_conf=None)] == ["12"]
    assert jobs_on([], folder, slurm_conf=None) == ()


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("echo 'Slurmctld(primary) at head is UP'", True),
        ("echo 'Slurmctld(primary) at head is DOWN'", False),
        ("echo 'Slurmctld(primary) at head is DOWN'; exit 1", False),
    ],
)
def test_a_slurmctld_that_is_down_is_not_running(tmp_path: Path, body: str, answer: bool) -> None:
    assert is_running(stand_in(tmp_path, "scontrol", body), slurm_conf=None) is answer
