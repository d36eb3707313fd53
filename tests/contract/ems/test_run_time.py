"""The programs that slurmctld calls, and an EMS that speaks TLS."""

import subprocess
from pathlib import Path

import pytest
from msgspec import structs

from tests.contract.ems.conftest import Certificates
from tests.contract.power.conftest import NODE, Site, site
from xio_slurm.emulator import Emulator
from xio_slurm.emulator.fixture import ems_emulator
from xio_slurm.manifest import Tls

__all__ = ["ems_emulator", "site"]


def call(site: Site, program: str, url: str, tls: Tls) -> subprocess.CompletedProcess[str]:
    site.change(ems_url=url, tls=tls)
    return subprocess.run(site.command(program, NODE), capture_output=True, text=True, timeout=60, check=False)


def test_a_node_is_resumed_and_suspended_over_tls(site: Site, tmp_path: Path) -> None:
    certificates = Certificates.make(tmp_path / "tls", client_days=10)
    with Emulator(tls=certificates.folder, boot_seconds=0.05) as emulator:
        assert call(site, "xio-resume", emulator.url, certificates.tls).returncode == 0
        assert [vm.node for vm in emulator.vms()] == [NODE]
        assert site.log().count("the client's certificate expires in 9 days") == 1
        assert call(site, "xio-suspend", emulator.url, certificates.tls).returncode == 0
        assert emulator.vms() == []


@pytest.mark.parametrize(("program", "phase"), [("xio-resume", "gone"), ("xio-suspend", "deleting")])
def test_a_certificate_that_is_missing_fails_each_node_and_asks_nothing(
    site: Site, secure_ems: Emulator, certificates: Certificates, program: str, phase: str
) -> None:
    tls = structs.replace(certificates.tls, client_certificate="/none/ExostellarClient.pem")
    done = call(site, program, secure_ems.url, tls)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "/none/ExostellarClient.pem: there is no such file" in site.log()
    assert secure_ems.requests() == []
    entry = site.entry()
    assert entry is not None
    assert (entry.phase, entry.unanswered) == (phase, False)
