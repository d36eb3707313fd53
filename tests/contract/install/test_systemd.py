"""Which words systemd gets, and that an installation that it refuses is taken back. A program stands for systemctl."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.install.conftest import Machine
from xio_slurm.deploy.installation.install import install
from xio_slurm.deploy.installation.install_plan import InstallPlan, plan_install
from xio_slurm.deploy.installation.layout import PLAIN, UNIT, Root
from xio_slurm.deploy.installation.record import Installed
from xio_slurm.deploy.installation.site import site_of
from xio_slurm.deploy.installation.systemd import Systemd
from xio_slurm.deploy.installation.uninstall import plan_uninstall, uninstall
from xio_slurm.errors import DeployError


@dataclass(frozen=True)
class Service:
    """``systemctl`` notes what it is told; ``refused`` names a word that it refuses."""

    machine: Machine
    folder: Path

    @property
    def systemd(self) -> Systemd:
        return Systemd(str(self.folder / "systemctl"))

    def answers(self, refused: str = "is-enabled") -> None:
        program = self.folder / "systemctl"
        program.write_text(
            f'#!/bin/sh\necho "$@" >> {self.folder}/told\n[ "$1" != {refused} ] || {{ echo no: $1 >&2; exit 1; }}\n'
        )
        program.chmod(0o755)

    def told(self) -> list[str]:
        file = self.folder / "told"
        said = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [line.replace(" xio-sync.service", "") for line in said]

    def plan(self) -> InstallPlan:
        root = Root(self.machine.root)
        site = site_of(
            PLAIN, root, self.record(), None, slurm_conf=PLAIN.slurm_conf, manifest=PLAIN.manifest, service=True
        )
        return plan_install(site, root, self.systemd, self.record())

    def record(self) -> Installed | None:
        return Installed.read(self.machine.at(PLAIN.record))

    def uninstall(self) -> None:
        record = self.record()
        assert record is not None
        uninstall(plan_uninstall(PLAIN, Root(self.machine.root), self.systemd, record, purge=True), lambda: None)


@pytest.fixture
def service(machine: Machine, tmp_path: Path) -> Service:
    folder = tmp_path / "systemd"
    folder.mkdir()
    made = Service(machine, folder)
    made.answers()
    return made


def test_the_service_is_started_once_and_ended_by_uninstall(service: Service) -> None:
    before = service.machine.tree()
    install(service.plan())
    assert service.told() == ["is-enabled --quiet", "daemon-reload", "enable", "restart"]
    assert service.plan().unchanged
    assert service.told() == []
    service.uninstall()
    assert service.told() == ["disable --now", "daemon-reload"]
    assert service.machine.tree() == before


def test_other_code_is_an_upgrade_and_restarts_the_service(service: Service) -> None:
    install(service.plan())
    record = service.machine.at(PLAIN.record)
    code = service.plan().new.code
    record.write_text(record.read_text().replace(code, "0" * 64))
    service.told()
    assert service.plan().is_upgrade
    install(service.plan())
    assert service.told() == ["daemon-reload", "enable", "restart"]


@pytest.mark.parametrize("refused", ["daemon-reload", "enable", "restart"])
def test_an_installation_that_systemd_refuses_is_taken_back(service: Service, refused: str) -> None:
    before = service.machine.tree()
    plan = service.plan()
    service.answers(refused)
    with pytest.raises(DeployError, match=f"no: {refused}"):
        install(plan)
    assert service.machine.tree() == before
    assert service.told()[-2:] == ["disable --now", "daemon-reload"]


def test_a_service_that_was_there_by_hand_is_there_again(service: Service) -> None:
    service.answers("nothing")
    unit = service.machine.at(UNIT)
    unit.parent.mkdir(parents=True)
    unit.write_text("theirs\n")
    before = service.machine.tree()
    install(service.plan())
    assert unit.read_text() != "theirs\n"
    service.told()
    service.uninstall()
    assert service.told() == ["daemon-reload", "enable", "restart"]
    assert service.machine.tree() == before
