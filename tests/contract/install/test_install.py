"""``xio install``, ``upgrade`` and ``uninstall`` of a machine in a folder: all or nothing, and the way back."""

import json
import os
import pwd
import stat
import subprocess
from pathlib import Path

import pytest

from tests.contract.install.conftest import SLURM_CONF, Machine
from xio_slurm.deploy.installation.layout import LAYOUTS, Layout

PROGRAMS = ("xio-resume", "xio-suspend", "xio-resume-fail")
LOGROTATE = "/etc/logrotate.d/xio-slurm"
UNIT = "/etc/systemd/system/xio-sync.service"


def cluster(machine: Machine, layout: Layout) -> None:
    """Have the machine look like one of that layout."""
    machine.at(layout.slurm_conf).parent.mkdir(parents=True, exist_ok=True)
    machine.at(layout.slurm_conf).write_text(SLURM_CONF)
    if layout.name == "parallelcluster":
        machine.at("/opt/parallelcluster").mkdir()


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=[*LAYOUTS])
def test_each_layout_gets_its_programs_and_loses_them_again(machine: Machine, layout: Layout) -> None:
    cluster(machine, layout)
    before = machine.tree()
    machine.ok("install")
    for name in PROGRAMS:
        program = machine.at(f"{layout.programs}/{name}")
        assert stat.S_IMODE(program.stat().st_mode) == 0o755
        assert f" --manifest {layout.manifest} " in program.read_text()
    assert f"XIO_MANIFEST={layout.manifest}" in machine.at("/usr/local/bin/xio").read_text()
    assert f"Environment=SLURM_CONF={layout.slurm_conf}" in machine.at(UNIT).read_text()
    assert "User=nobody" in machine.at(UNIT).read_text()
    kept = machine.at("/var/log/xio/xio.log")
    kept.write_text("what happened")
    assert "/var/log/xio: isn't empty, and stays" in machine.ok("uninstall")
    left = {path for path in machine.tree() if path not in before}
    assert left == {str(path) for path in (kept, *kept.parents) if path.is_relative_to(machine.at("/var"))}


def test_the_programs_run_and_take_another_manifest_all_the_same(machine: Machine) -> None:
    machine.ok("install")
    program = machine.at("/usr/local/sbin/xio-resume")
    for arguments, manifest in (((), "/etc/xio/manifest.json"), (("--manifest", "/none/there"), "/none/there")):
        ended = subprocess.run((program, *arguments, "n1"), capture_output=True, text=True, env={}, check=False)
        assert ended.returncode == 2
        assert f"{manifest}: there is no manifest" in ended.stderr


def test_state_and_logs_are_slurm_users_alone(machine: Machine) -> None:
    machine.ok("install")
    wanted = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    for path, mode in (("/var/lib/xio", 0o700), ("/var/log/xio", 0o750)):
        status = machine.at(path).stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (mode, wanted)


def test_a_second_install_has_nothing_to_do_and_touches_nothing(machine: Machine) -> None:
    machine.ok("install")
    before = machine.tree()
    assert "nothing to do" in machine.ok("install")
    assert "nothing to do" in machine.ok("upgrade")
    assert machine.tree() == before


@pytest.mark.parametrize("command", ["install", "upgrade", "uninstall"])
def test_a_dry_run_changes_nothing(machine: Machine, command: str) -> None:
    if command != "install":
        machine.ok("install")
        machine.at(LOGROTATE).unlink()
    before = machine.tree()
    assert LOGROTATE in machine.ok(command, "--dry-run") or command == "uninstall"
    assert machine.tree() == before


def test_what_was_there_is_kept_and_comes_back_with_all_that_hangs_on_it(machine: Machine) -> None:
    theirs, link = machine.at(LOGROTATE), machine.at("/usr/local/bin/xio")
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs\n")
    if os.geteuid() == 0:
        os.chown(theirs, 65534, 65534)
    theirs.chmod(0o640)
    os.utime(theirs, (1e9, 1e9))
    link.parent.mkdir(parents=True)
    link.symlink_to("/opt/old/xio")
    before = machine.tree()
    told = machine.ok("install")
    assert f"~ {LOGROTATE}: replaces what is there, which is kept" in told
    assert machine.at(f"/etc/xio/replaced{LOGROTATE}").read_text() == "theirs\n"
    assert not link.is_symlink()
    machine.ok("uninstall", "--purge")
    assert machine.tree() == before


def test_what_was_edited_since_is_left_by_upgrade_and_uninstall(machine: Machine) -> None:
    theirs = machine.at(LOGROTATE)
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs\n")
    machine.ok("install")
    theirs.write_text("edited\n")
    program = machine.at("/usr/local/sbin/xio-resume")
    program.unlink()
    upgraded = machine.xio("upgrade")
    assert upgraded.returncode == 0
    assert upgraded.stderr == f"warning: {LOGROTATE}: was edited since it was installed: left as it is\n"
    assert program.exists()
    removed = machine.xio("uninstall", "--purge")
    assert f"{LOGROTATE}: was edited since" in removed.stderr
    assert theirs.read_text() == "edited\n"
    assert machine.at(f"/etc/xio/replaced{LOGROTATE}").read_text() == "theirs\n"
    assert "/etc/xio: isn't empty, and stays" in removed.stdout


def test_other_rights_of_a_program_are_put_right(machine: Machine) -> None:
    machine.ok("install")
    program = machine.at("/usr/local/sbin/xio-resume")
    program.chmod(0o777)
    machine.ok("install")
    assert stat.S_IMODE(program.stat().st_mode) == 0o755


def test_an_install_that_fails_half_way_leaves_nothing(machine: Machine) -> None:
    # Among the last of the files: a folder is in its way, which no look before can see through a link.
    machine.at("/etc/systemd").mkdir()
    machine.at("/etc/systemd/system").symlink_to("/none/there")
    machine.at(LOGROTATE).parent.mkdir()
    machine.at(LOGROTATE).write_text("theirs\n")
    before = machine.tree()
    failed = machine.xio("install")
    assert failed.returncode == 1
    assert failed.stderr.startswith("xio: ")
    assert failed.stderr.endswith(": nothing was installed\n")
    assert machine.tree() == before


@pytest.mark.parametrize("in_the_way", ["folder", "pipe"])
def test_what_is_no_file_is_refused_before_anything_is_done(machine: Machine, in_the_way: str) -> None:
    path = machine.at("/usr/local/sbin/xio-suspend")
    path.parent.mkdir(parents=True)
    if in_the_way == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    before = {str(each) for each in machine.root.rglob("*")}
    assert machine.xio("install").returncode == 1
    assert {str(each) for each in machine.root.rglob("*")} == before


def test_an_install_that_was_killed_is_finished_or_taken_back(machine: Machine) -> None:
    before = machine.tree()
    machine.ok("install")
    # As killed between the record and the last file.
    machine.at("/usr/local/sbin/xio-resume-fail").unlink()
    machine.at(LOGROTATE).unlink()
    machine.ok("uninstall", "--purge")
    assert machine.tree() == before
    machine.ok("install")
    whole = {path: what for path, (what, *_) in machine.tree().items()}
    machine.at(LOGROTATE).unlink()
    machine.ok("install")
    assert {path: what for path, (what, *_) in machine.tree().items()} == whole


def test_without_systemd_there_is_no_unit_and_it_is_said_for_programs(machine: Machine) -> None:
    told = json.loads(machine.ok("install", "--no-systemd", "--json"))
    assert told["outcome"] == "installed"
    assert UNIT not in [file["path"] for file in told["files"]]
    assert not machine.at(UNIT).exists()


def test_nothing_is_upgraded_or_uninstalled_where_nothing_is_installed(machine: Machine) -> None:
    for command in ("upgrade", "uninstall"):
        ended = machine.xio(command)
        assert (ended.returncode, ended.stderr) == (1, "xio: nothing is installed here by 'xio install'\n")


def test_vms_of_ours_stand_in_the_way_of_an_uninstall(machine: Machine) -> None:
    machine.ok("install")
    nodes = machine.at("/var/lib/xio/nodes")
    nodes.mkdir()
    entry = {"version": 1, "node": "n1", "pool": "p", "phase": "ours", "run": {"id": "r", "called": 1}}
    (nodes / "n1.json").write_text(json.dumps({**entry, "asked": 1, "attempts": 1}))
    before = machine.tree()
    refused = machine.xio("uninstall", "--purge")
    assert refused.returncode == 1
    assert "VMs of ours, which nobody would ever delete: n1" in refused.stderr
    assert machine.tree() == before
    assert machine.xio("uninstall", "--purge", "--force").returncode == 0


def test_the_include_of_apply_is_taken_out_and_its_files(machine: Machine) -> None:
    conf = machine.at("/etc/slurm/slurm.conf")
    conf.write_text("ClusterName=x\nSlurmUser=nobody")  # as some editors end a file
    before = machine.tree()
    machine.ok("install")
    (conf.parent / "slurm.conf.xio-20260101T000000Z").write_text(conf.read_text())
    conf.write_text(f"{conf.read_text()}\ninclude /etc/xio/xio.nodes.conf\n")
    for name in ("xio.nodes.conf", "manifest.json", ".xio-generate.lock", ".xio-apply.lock"):
        machine.at(f"/etc/xio/{name}").write_text("x")
    machine.ok("uninstall", "--purge")
    after = machine.tree()
    assert {path: what[:3] for path, what in after.items()} == {path: what[:3] for path, what in before.items()}


def test_logrotate_takes_its_file_and_the_writers_begin_a_new_one(machine: Machine) -> None:
    machine.ok("install")
    file = Path(machine.at(LOGROTATE))
    log = machine.at("/var/log/xio")
    os.chown(log, os.geteuid(), os.getegid())
    (log / "xio.log").write_text("a line\n")
    user = pwd.getpwuid(os.geteuid()).pw_name
    text = file.read_text().replace("/var/log/xio", str(log)).replace("su nobody nogroup", f"su {user} {user}")
    file.write_text(text)
    command = ("/usr/sbin/logrotate", "--force", "--state", machine.root / "state", file)
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    (moved,) = log.glob("xio.log-*")
    assert moved.read_text() == "a line\n"
    assert not (log / "xio.log").exists()
