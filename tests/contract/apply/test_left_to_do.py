"""What an earlier apply has left to a person is told again by plan, until it is done."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.apply.conftest import SMALL, Cluster
from tests.contract.apply.test_plan_apply_plan import of_file
from tests.contract.ems.conftest import Certificates
from xio_slurm.deploy.as_slurm_user import unread_certificates
from xio_slurm.deploy.launchers import launcher
from xio_slurm.deploy.programs import installed_bin

RESTART = "next: restart slurmctld (running jobs survive that): it doesn't know our ResumeProgram yet\n"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def with_scontrol(cluster: Cluster, config: str) -> None:
    """Apply, and from then on a slurmctld seems to run that is so configured; ``config`` is a shell's command."""
    cluster.configure(SMALL, SlurmBinDir=str(cluster.folder))
    assert cluster.is_applied()
    scontrol = cluster.folder / "scontrol"
    scontrol.write_text(f'#!/bin/sh\n[ "$1" = ping ] && exec echo "Slurmctld(primary) at head is UP"\n{config}\n')
    scontrol.chmod(0o755)


@pytest.mark.parametrize("loaded", ["(null)", "/opt/parallelcluster/scripts/slurm/slurm_resume"])
def test_a_slurmctld_that_was_not_restarted_is_told_and_is_no_change(cluster: Cluster, loaded: str) -> None:
    with_scontrol(cluster, f"echo 'ResumeFailProgram       = /x'; echo 'ResumeProgram           = {loaded}'")
    run = cluster.run("plan", "--detailed-exitcode")
    assert run.code == 0, run.err
    assert run.out.count(RESTART) == 1
    assert cluster.run("plan", "--json").document["next"][0] == RESTART.removeprefix("next: ").strip()
    assert cluster.run("apply", "--yes").out.count(RESTART) == 1
    cluster.conf.write_text(f"{cluster.conf.read_text()}ResumeProgram=/behind/ours\n")
    assert RESTART not in cluster.run("plan").out


@pytest.mark.parametrize(
    "config",
    [
        f"echo 'ResumeProgram           = {installed_bin()}/xio-resume'",
        "echo 'slurm_load_ctl_conf error: Unable to contact slurm controller' >&2; exit 1",
        "echo 'Configuration data as of 2025-01-01T00:00:00'",
    ],
)
def test_a_slurmctld_that_was_restarted_or_tells_nothing_is_not_told_of(cluster: Cluster, config: str) -> None:
    with_scontrol(cluster, config)
    run = cluster.run("plan", "--detailed-exitcode")
    assert (run.code, "restart slurmctld" in run.out) == (0, False)


@pytest.mark.parametrize("config", ["exec sleep 60", None])
def test_a_slurmctld_that_does_not_answer_takes_five_seconds_at_most(cluster: Cluster, config: str | None) -> None:
    """Without a stand-in it is Slurm's own scontrol, to a port where nobody listens."""
    if config is None:
        assert cluster.is_applied()
    else:
        with_scontrol(cluster, config)
    began = time.monotonic()
    plan = cluster.plan()
    assert time.monotonic() - began < 20  # the EMS is asked, too
    assert not plan.slurm.awaits_restart


def test_a_manifest_that_the_programs_do_not_find_is_told_until_it_is_linked(cluster: Cluster) -> None:
    link = f"next: the programs look for /etc/xio/manifest.json: ln -s {cluster.out}/manifest.json /etc/xio/"
    programs = cluster.folder / "bin"
    programs.mkdir()
    cluster.configure(SMALL, ProgramDir=str(programs))
    assert link not in cluster.run("plan").out  # apply will say it
    assert link in cluster.run("apply", "--yes").out
    assert link in cluster.run("plan").out
    (programs / "xio-resume").write_text(launcher(installed_bin() / "xio-resume", cluster.out / "manifest.json"))
    assert "next: " not in cluster.run("plan").out


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may pass, which pytest's aren't."""
    folder = Path(tempfile.mkdtemp(prefix="xio-t-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@AS_ROOT
def test_certificates_that_slurm_user_cannot_read_are_a_warning_of_one_line(
    make_cluster: Callable[..., Cluster], open_folder: Path
) -> None:
    tls = Certificates.make(open_folder / "tls").tls
    document = of_file("newest.yaml")
    cluster = make_cluster(document, tls=open_folder / "tls")
    cluster.configure(document, EmsCaFile=tls.ca_file, EmsClientCertificate=tls.client_certificate)
    cluster.conf.write_text(f"{cluster.conf.read_text()}SlurmUser=nobody\n")
    begin = f"warning: SlurmUser nobody can't read {tls.client_certificate}, so that its programs can't reach the EMS"
    (line,) = (line for line in cluster.run("plan").err.splitlines() if "can't reach the EMS" in line)
    assert line == f"{begin}: chown nobody {tls.client_certificate}"
    shutil.chown(str(tls.client_certificate), "nobody")
    assert "can't reach the EMS" not in cluster.run("plan").err


@AS_ROOT
def test_a_closed_folder_on_the_way_to_a_certificate_is_named(open_folder: Path) -> None:
    tls = Certificates.make(open_folder / "way" / "tls").tls
    shutil.chown(str(tls.client_certificate), "nobody")
    assert unread_certificates(tls, "nobody") == ()
    (open_folder / "way").chmod(0o700)
    (line,) = unread_certificates(tls, "nobody")
    assert line.startswith(f"SlurmUser nobody can't read {tls.ca_file}, {tls.client_certificate}, so that")
    assert line.endswith(f": chmod o+x {open_folder}/way")
    assert unread_certificates(tls, "root") == ()
    assert unread_certificates(tls, "no-such-user") == ()
