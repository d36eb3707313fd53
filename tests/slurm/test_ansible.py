"""The Ansible role: a cluster gets us and runs jobs, an instance becomes an image's, and a second run rests."""

import os
import pwd
import stat
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.slurm.ansible import changed, environment, play, wheel
from tests.slurm.test_apply import NODE, configuration, without_us
from xio_slurm.lab import Lab

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be given what the role makes")

PACKAGES = """#!/bin/sh
# Stands for apt and dnf, which ask a network: notes what it is to install.
# WANT_JSON
cp "$1" "$XIO_TEST_PACKAGES"
echo '{"changed": false}'
"""

IN_A_ROOT = """
mount --bind "$0/etc" /etc && mount --bind "$0/spool" /var/spool && mount --bind "$0/log" /var/log || exit 77
exec "$@"
"""


@AS_ROOT
def test_the_head_nodes_play_installs_and_applies_and_a_second_run_changes_nothing(
    make_lab: Callable[..., Lab], tmp_path: Path
) -> None:
    lab = make_lab(delegated_nodes=1, applied=False)
    layout = lab.layout
    without_us(lab)
    own, root = layout.folder / "own", tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "tmp").symlink_to("/tmp")  # noqa: S108  where labs are
    file = configuration(lab, tmp_path / "xio.yaml")
    document = yaml.safe_load(file.read_text())
    places = {"ProgramDir": str(own / "bin"), "StateDir": str(own / "state"), "LogDir": str(own / "log")}
    document["slurm"]["Xio"]["Plugin"].update(places)
    file.write_text(yaml.safe_dump(document))
    variables = {
        "xio_slurm_source": str(wheel(tmp_path)),
        "xio_slurm_folder": str(layout.folder / "versions"),
        "xio_slurm_config": str(file),
        "xio_slurm_config_file": str(layout.etc / "xio.yaml"),
        "xio_slurm_slurm_conf": str(layout.slurm_conf),
        "xio_slurm_install_options": ["--root", str(root), "--manifest", str(layout.manifest)],
        "xio_slurm_apply_options": ["--no-aws-checks"],
    }
    env = {
        **lab.environment,
        **environment(tmp_path, PIP_NO_INDEX="1", PIP_NO_COMPILE="1", PATH=lab.environment["PATH"]),
    }

    first = play("head-node.yml", variables, env)
    assert changed(first) > 0
    assert "restart slurmctld" in first
    assert (layout.etc / "xio.yaml").read_bytes() == file.read_bytes()
    assert (root / "etc" / "systemd" / "system" / "xio-sync.service").is_file()
    assert (root / "etc" / "logrotate.d" / "xio-slurm").is_file()
    python = layout.folder / "versions" / "current" / "bin" / "python"
    for name in ("xio-resume", "xio-suspend", "xio-resume-fail"):
        assert str(python) in (own / "bin" / name).read_text()
    lab.restart_slurmctld()
    job = lab.run("srun", "-p", "xio", "hostname")
    assert (job.returncode, job.stdout) == (0, f"{NODE}\n"), job.stderr
    lab.wait_until_idle(240)

    assert changed(play("head-node.yml", variables, env)) == 0


@pytest.fixture
def in_a_root(tmp_path: Path) -> tuple[str, ...]:
    """What a command begins with whose /etc, /var/spool and /var/log are this test's alone."""
    subprocess.run(("cp", "-a", "/etc", tmp_path / "etc"), check=True)  # noqa: S607  wherever it is
    for name in ("spool", "log"):
        (tmp_path / name).mkdir()
    wrapper = ("unshare", "--mount", "sh", "-c", IN_A_ROOT, str(tmp_path))
    if subprocess.run((*wrapper, "true"), check=False, capture_output=True).returncode:
        pytest.skip("this machine allows no mounts, and the play is nothing for its own /etc")
    return wrapper


@AS_ROOT
def test_the_images_play_makes_what_a_vm_boots_with_and_a_second_run_changes_nothing(
    in_a_root: tuple[str, ...], tmp_path: Path
) -> None:
    etc, key, asked = tmp_path / "etc", tmp_path / "munge.key", tmp_path / "packages"
    key.write_bytes(b"k" * 1024)
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "packages.sh").write_text(PACKAGES)
    (etc / "selinux").mkdir(exist_ok=True)
    (etc / "selinux" / "config").write_text("SELINUX=enforcing\nSELINUXTYPE=targeted\n")
    variables: Mapping[str, Any] = {
        "xio_slurm_munge_key": str(key),
        "xio_slurm_slurm_user": "xio-test",
        "xio_slurm_slurm_uid": 64777,
        "xio_slurm_slurm_gid": 64778,
        "xio_slurm_selinux": "permissive",
        "xio_slurm_has_systemd": False,
        "ansible_package_use": "packages",
    }
    env = environment(tmp_path, ANSIBLE_LIBRARY=str(tmp_path / "modules"), XIO_TEST_PACKAGES=str(asked))

    assert changed(play("vm-image.yml", variables, env, wrapped=in_a_root)) > 0
    assert '"munge"' in asked.read_text()
    made = (etc / "munge" / "munge.key").stat()
    munge = pwd.getpwnam("munge")
    assert (etc / "munge" / "munge.key").read_bytes() == key.read_bytes()
    assert (stat.S_IMODE(made.st_mode), made.st_uid, made.st_gid) == (0o400, munge.pw_uid, munge.pw_gid)
    assert "xio-test:x:64777:64778::/nonexistent:/sbin/nologin\n" in (etc / "passwd").read_text()
    assert (
        "ExecStart=/opt/slurm/sbin/slurmd -D $SLURMD_OPTIONS\n"
        in (etc / "systemd" / "system" / "slurmd.service").read_text()
    )
    assert (etc / "selinux" / "config").read_text() == "SELINUX=permissive\nSELINUXTYPE=targeted\n"
    assert (tmp_path / "spool" / "slurmd").is_dir()
    assert (tmp_path / "log" / "slurm").stat().st_uid == 64777
    assert "xio-test" not in Path("/etc/passwd").read_text()

    assert changed(play("vm-image.yml", variables, env, wrapped=in_a_root)) == 0
