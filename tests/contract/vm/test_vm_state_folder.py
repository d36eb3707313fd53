"""As whom ``xio vm`` uses the state folder, and what it does where it may not."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.ems.conftest import Certificates
from tests.contract.slurm_user import SLURM_USER, moved_to_slurm_user
from tests.contract.vm.conftest import NODE, POOL, Site, make_vm
from xio_slurm.emulator import Emulator


@pytest.fixture
def their_site(site: Site) -> Iterator[Site]:
    """A site whose state and log folders are SlurmUser's, in a place that it can reach."""
    if os.geteuid() != 0:
        pytest.skip("only root can become SlurmUser")
    with moved_to_slurm_user(site):
        yield site


def test_what_root_leaves_behind_is_slurm_users(their_site: Site) -> None:
    make_vm(their_site.ems, NODE)
    assert their_site.test().returncode == 0
    assert their_site.xio("delete", NODE, "--yes", "--not-ours", "--in-use").returncode == 0
    owners = {path: path.owner() for path in their_site.folder.rglob("*") if path.name != "manifest.json"}
    assert set(owners.values()) == {SLURM_USER}, owners
    assert len(owners) > 6


def test_others_can_do_nothing_and_are_told_so(their_site: Site) -> None:
    assert their_site.test().returncode == 0
    their_site.ems.forget_requests()
    for arguments in (("test", "--pool", "b"), ("list",), ("show", NODE), ("delete", NODE, "--yes")):
        done = subprocess.run(
            their_site.command(*arguments),
            env=their_site.environment,
            user="daemon",
            group="daemon",
            extra_groups=[],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert f"as root or as {SLURM_USER}" in done.stderr
    assert their_site.ems.requests() == []


def test_root_does_not_make_the_state_folder(site: Site) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root would lock SlurmUser out")
    site.change(state_dir=str(site.folder / "none"))
    done = site.test()
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"none: isn't there: install -d -o SlurmUser -m 700 {site.folder}/none" in done.stderr
    assert not (site.folder / "none").exists()
    assert site.ems.requests() == []


def test_who_looks_leaves_nothing(site: Site) -> None:
    site.change(state_dir=str(site.folder / "none"))
    site.xio("list")
    site.xio("show", NODE)
    assert not (site.folder / "none").exists()
    assert list((site.folder / "log").iterdir()) == []


@pytest.mark.parametrize("arguments", [("list",), ("test", "--pool", POOL)])
def test_the_clients_key_is_read_as_slurm_user_with_its_groups(their_site: Site, arguments: tuple[str, ...]) -> None:
    certificates = Certificates.make(their_site.folder / "tls")
    with Emulator(tls=certificates.folder, boot_seconds=0.05) as ems:
        their_site.change(ems_url=ems.url, tls=certificates.tls)
        done = their_site.xio(*arguments)  # root could read it, and the programs couldn't
        assert done.returncode == 1
        assert f"ExostellarClient.pem: user {SLURM_USER} may not read it" in done.stderr
        assert ems.requests() == []
        key = Path(str(certificates.tls.client_certificate))
        os.chown(key, 0, pwd.getpwnam(SLURM_USER).pw_gid)
        key.chmod(0o640)
        os.chown(their_site.folder / "state", pwd.getpwnam(SLURM_USER).pw_uid, 0)  # as 'install -d -o' leaves it
        assert their_site.xio(*arguments).returncode == 0


def test_a_ledger_that_there_is_not_yet_is_an_empty_one(site: Site) -> None:
    site.change(state_dir=str(site.folder / "none"))
    make_vm(site.ems, NODE)
    assert [vm["whose"] for vm in site.json("list")["vms"]] == ["foreign"]
