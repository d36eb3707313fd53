"""The programs called by root by hand, and what others may write: nobody is locked out, and nobody else decides."""

import os
import pwd
import shutil
import sys
import time
from collections.abc import Iterator

import pytest

from tests.contract.power.conftest import NODE, Site
from tests.contract.slurm_user import SLURM_USER, moved_to_slurm_user
from xio_slurm.emulator.tool import Emulator
from xio_slurm.manifest import RootPassword

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become SlurmUser")


@pytest.fixture
def their_site(site: Site) -> Iterator[Site]:
    """A site whose state and log folders are SlurmUser's, in a place that it can reach."""
    with moved_to_slurm_user(site):
        yield site


def test_what_root_leaves_behind_is_slurm_users(their_site: Site) -> None:
    assert their_site.call("xio-resume", NODE).returncode == 0
    owners = {path.name: path.owner() for path in their_site.folder.rglob("*") if path.name != "manifest.json"}
    assert set(owners.values()) == {SLURM_USER}, owners


@pytest.mark.parametrize("program", ["xio-resume", "xio-suspend", "xio-resume-fail"])
def test_root_does_not_make_the_state_folder(their_site: Site, ems_emulator: Emulator, program: str) -> None:
    state = their_site.folder / "state"
    state.rmdir()
    ended = their_site.call(program, NODE)
    assert ended.returncode == 2
    assert f"{state}: isn't there: install -d -o SlurmUser -m 700 {state}" in ended.stderr
    assert not state.exists()
    assert list((their_site.folder / "log").iterdir()) == []
    assert ems_emulator.requests() == []


def test_a_password_command_that_runs_as_another_by_now_is_left(their_site: Site, ems_emulator: Emulator) -> None:
    # As sudo does it: a setuid program, which SlurmUser may not signal. Nobody else gets at it where it lies.
    program = their_site.folder / "state" / "python"
    shutil.copy(sys.executable, program)
    program.chmod(0o4755)
    command = (str(program), "-c", "import os, time; os.setuid(0); time.sleep(60)")
    their_site.change(root_password=RootPassword(None, None, None, command), resume_timeout=16)
    started = time.monotonic()
    assert their_site.call("xio-resume", NODE).returncode == 0
    assert time.monotonic() - started < 16
    assert f"{program}: didn't end in its time" in their_site.log()
    assert [vm.node for vm in ems_emulator.vms()] == [NODE]


def test_the_log_is_not_written_through_a_link(site: Site, ems_emulator: Emulator) -> None:
    (site.folder / "log" / "xio.log").symlink_to(site.folder / "elsewhere")
    ended = site.call("xio-resume", NODE)
    assert ended.returncode == 0
    assert "xio.log can't be written" in ended.stderr
    assert not (site.folder / "elsewhere").exists()
    assert len(ems_emulator.vms()) == 1


@pytest.mark.parametrize(
    ("mode", "who"), [(0o644, None), (0o664, "the group root"), (0o666, "everybody"), (0o602, "everybody")]
)
def test_a_manifest_that_others_may_write_is_told(site: Site, mode: int, who: str | None) -> None:
    path = site.folder / "manifest.json"
    path.chmod(mode)
    assert site.call("xio-resume", NODE).returncode == 0
    line = f"WARNING: {path}: {who} may write it, and so decide what VMs boot: chmod go-w {path}"
    assert (line in site.log()) is (who is not None)
    assert ("WARNING" in site.log()) is (who is not None)


def test_a_manifest_of_another_user_is_told(site: Site) -> None:
    os.chown(site.folder / "manifest.json", pwd.getpwnam(SLURM_USER).pw_uid, 0)
    assert site.call("xio-resume", NODE).returncode == 0
    assert f"its owner {SLURM_USER} may write it" in site.log()
