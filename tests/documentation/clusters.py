"""Clusters that pages presume: a lab's slurmctld, with each file where the pages say that it is."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import requests
import yaml

from tests.documentation import aws, scripts, wheels
from tests.documentation.shell import CommandError
from tests.documentation.surroundings import environment, set_up
from tests.documentation.systemctl import LAB
from tests.documentation.wheels import TREE
from tests.slurm.conftest import QUICK
from tests.slurm.test_apply import without_us
from xio_slurm.ems.documents import ENVIRONMENTS, IMAGES, PROFILES
from xio_slurm.lab import Lab, LabOptions
from xio_slurm.lab.deployment import USER_DATA
from xio_slurm.power.heartbeat import sync_is_alive

CONFIG: Final = Path("/etc/xio/xio.yaml")
_SYNC_SECONDS: Final = 90.0
_COMMANDS: Final = ("srun", "sbatch", "squeue", "sinfo", "scontrol", "scancel")


@contextmanager
def plain() -> Iterator[Mapping[str, str]]:
    """A plain cluster that never heard of us; xio is in /opt/xio, and its configuration is written."""
    with _without_us(Path("/etc/slurm")) as lab:
        _xio_is_there()
        write(configuration(lab))
        os.chdir("/root")
        yield environment()


@contextmanager
def plain_with_aws() -> Iterator[Mapping[str, str]]:
    """The same with an account at AWS."""
    with aws.on_loopback() as account, plain():
        yield environment(**account)


@contextmanager
def from_a_clone() -> Iterator[Mapping[str, str]]:
    """The same in a clone of the repository, where the configuration lies, too; xio isn't there."""
    with _without_us(Path("/etc/slurm")) as lab:
        write(configuration(lab), TREE / "xio.yaml")
        wheels.to_be_found_by_pip(environment())
        set_up()
        yield environment()


@contextmanager
def parallelcluster() -> Iterator[Mapping[str, str]]:
    """ParallelCluster's head node, that never heard of us; xio is in /opt/xio, and its configuration is written."""
    Path("/opt/parallelcluster").mkdir()
    with _without_us(Path("/opt/slurm/etc")) as lab:
        _slurm_of_parallelcluster(lab)
        _xio_is_there()
        write(configuration(lab, SlurmBinDir="/opt/slurm/bin"))
        os.chdir("/root")
        yield environment()


@contextmanager
def by_ansible() -> Iterator[Mapping[str, str]]:
    """A plain cluster that never heard of us; Ansible in the playbooks' folder, with an inventory of this machine."""
    with from_a_clone() as its:
        os.chdir(TREE / "etc" / "ansible")
        shutil.copy(TREE / "xio.yaml", "xio.yaml")
        Path("hosts").write_text(
            "[xio_head_nodes]\nlocalhost ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n"
        )
        Path("/path/to/this").mkdir(parents=True)
        Path("/path/to/this/repository").symlink_to(TREE)
        yield {**its, "PATH": f"{Path(sys.executable).parent}:{its['PATH']}"}
        # A play that finds no hosts ends well, too.
        if not Path("/opt/xio/current/bin/xio").exists() or not Path("/etc/xio/manifest.json").exists():
            raise CommandError("the playbook has installed nothing, or applied nothing")


@contextmanager
def as_the_scripts_left_it() -> Iterator[Mapping[str, str]]:
    """ParallelCluster's head node on which the playbooks of aws-eda-slurm-cluster have set up XIO."""
    with parallelcluster() as its:
        scripts.set_up(Lab.at(LAB))
        yield its


@contextmanager
def at_work() -> Iterator[Mapping[str, str]]:
    """A plain cluster that runs our jobs, with everything installed and applied, the image too."""
    with plain() as its:
        document = yaml.safe_load(CONFIG.read_text())
        document["slurm"]["Xio"]["Images"] = [{"ImageName": "rhel8-x86", "ImageId": "ami-0123456789abcdef0"}]
        write(document)
        at_work_now(its)
        yield its


@contextmanager
def at_work_without_its_image() -> Iterator[Mapping[str, str]]:
    """A plain cluster with everything installed and applied, but for the image."""
    with plain() as its:
        document = yaml.safe_load(CONFIG.read_text())
        section = document["slurm"]["Xio"]
        section["Pools"] = [{**section["Pools"][0], "PoolName": name} for name in ("small", "wide")]
        section["DefaultImageName"] = "rhel8"
        write(document)
        at_work_now(its)
        yield its


@contextmanager
def at_work_on_parallelcluster() -> Iterator[Mapping[str, str]]:
    """The same on ParallelCluster's head node."""
    with parallelcluster() as its:
        at_work_now(its)
        yield its


@contextmanager
def at_work_and_a_clone() -> Iterator[Mapping[str, str]]:
    """The same, where somebody is in a clone of the repository."""
    with at_work() as its:
        wheels.to_be_found_by_pip(environment())
        os.chdir(TREE)
        yield {**its, "XIO_CONFIG": str(CONFIG)}


def at_work_now(its: Mapping[str, str]) -> None:
    """Install and apply, as step by step in the README."""
    for command in ("/opt/xio/bin/xio install", "xio apply --yes --no-aws-checks", "systemctl restart slurmctld"):
        ended = subprocess.run(command.split(), env=its, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise CommandError(f"'{command}' ended with {ended.returncode}: {ended.stdout}{ended.stderr}")
    end = time.monotonic() + _SYNC_SECONDS
    while not sync_is_alive("/var/lib/xio", time.time()):
        if time.monotonic() > end:
            raise CommandError(f"xio sync isn't at work after {_SYNC_SECONDS:g} s")
        time.sleep(0.1)


def configuration(lab: Lab, **others: Any) -> dict[str, Any]:
    """The sample, filled in for this cluster; ``others`` are keys of ``Plugin``."""
    document: dict[str, Any] = yaml.safe_load((TREE / "etc" / "xio.yaml").read_text(encoding="utf-8"))
    section = document["slurm"]["Xio"]
    section["DefaultImageName"] = "rhel8-x86"
    section["Plugin"] = {
        "EmsUrl": lab.emulator_url,
        "UserDataTemplate": str(USER_DATA),
        "ResumeTimeout": QUICK.resume_timeout,
        "SuspendTimeout": QUICK.suspend_timeout,
        "SuspendTime": QUICK.suspend_time,
        "RetrySeconds": 2,
        "OrphanGrace": 3,
        "SyncInterval": 1,
        **others,
    }
    return document


def write(document: dict[str, Any], path: Path = CONFIG) -> None:
    """Write it to where it is read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document))


@contextmanager
def _without_us(conf: Path) -> Iterator[Lab]:
    os.chdir(TREE)
    with Lab.up(LabOptions(LAB, timing=QUICK, delegated_nodes=1)) as lab:
        conf.mkdir(parents=True, exist_ok=True)
        subprocess.run(("/bin/mount", "--bind", lab.layout.etc, conf), check=True)
        without_us(lab)
        _empty(lab.emulator_url)
        _stand_in("systemctl", f"PYTHONPATH={TREE} exec {sys.executable} -m tests.documentation.systemctl")
        yield lab


def _empty(ems: str) -> None:
    """An EMS that knows az1 alone."""
    for kind in (ENVIRONMENTS, PROFILES, IMAGES):
        for there in requests.get(f"{ems}{kind.path}s", timeout=10).json()[kind.list_key]:
            if there[kind.name_key] != "az1":
                requests.delete(f"{ems}{kind.path}/{there[kind.name_key]}", timeout=10).raise_for_status()


def _stand_in(name: str, command: str, folder: Path = Path("/usr/local/bin")) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f'#!/bin/sh\n{command} "$@"\n')
    program.chmod(0o755)


def _slurm_of_parallelcluster(lab: Lab) -> None:
    """Its Slurm reads its own slurm.conf without being told."""
    for name in _COMMANDS:
        program = Path(lab.record.slurm_bin_dir) / name
        _stand_in(name, f"SLURM_CONF=/opt/slurm/etc/slurm.conf exec {program}", Path("/opt/slurm/bin"))


def _xio_is_there(folder: Path = Path("/opt/xio")) -> None:
    """As pip puts it there, but that the libraries are those of the Python that runs this: it takes no time."""
    subprocess.run((sys.executable, "-m", "venv", "--without-pip", folder), check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    shutil.copytree(TREE / "xio_slurm", site / "xio_slurm", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(TREE / "etc", site / "xio_slurm" / "etc", dirs_exist_ok=True)
    (site / "libraries.pth").write_text("".join(f"{path}\n" for path in sys.path if path.endswith("site-packages")))
    _stand_in("xio", f"exec {folder}/bin/python -I -m xio_slurm.commands", folder / "bin")
