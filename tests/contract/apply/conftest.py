"""A cluster to plan and apply for: its configuration and slurm.conf, and an EMS that another cluster uses, too."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from xio_slurm.config import load
from xio_slurm.emulator import Emulator
from xio_slurm.emulator.scenario import Scenario
from xio_slurm.plan.apply import applying
from xio_slurm.plan.plan import Plan, make_plan
from xio_slurm.plan.steps import Result, Status

DATA = Path(__file__).resolve().parents[2] / "data" / "config"

SMALL = {
    "slurm": {
        "ClusterName": "lab",
        "Xio": {
            "PartitionName": "xio",
            "AvailabilityZone": "us-east-2b",
            "Images": [{"ImageName": "rhel8", "ImageId": "ami-1"}],
            "DefaultImageName": "rhel8",
            "Profiles": [{"ProfileName": "amd", "InstanceTypes": ["c6a:1", "m6a:1"], "SpotFleetTypes": ["c6a:1"]}],
            "Pools": [{"PoolName": "a", "ProfileName": "amd", "CPUs": 2, "MaxMemory": 4000, "PoolSize": 3}],
        },
    }
}
"""An image, a profile, a pool."""

SLURM_CONF = """\
ClusterName=lab
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=1
SlurmctldParameters=idle_on_node_suspend
NodeName=static CPUs=1
PartitionName=batch Nodes=static
"""

THEIRS: dict[str, list[dict[str, Any]]] = {
    "images": [{"ImageName": "theirs", "ImageId": "ami-9", "Odd": {"b": 1, "a": [1, {"x": None}]}}],
    "profiles": [{"ProfileName": "theirs", "NodeGroupName": "theirs", "MaxControllers": 7, "Worker": {"Odd": [True]}}],
    "environments": [
        {
            "EnvName": "their-cluster",
            "Type": "slurm",
            "HeadAddress": "10.7.7.7",
            "Pools": [
                {
                    "PoolName": "p",
                    "PoolSize": 2,
                    "ProfileName": "theirs",
                    "VM": {"CPUs": 1, "ImageName": "theirs", "MaxMemory": 1000},
                }
            ],
        }
    ],
}
"""What another cluster has on the same EMS."""

_PATHS = {"images": "Images", "profiles": "Profiles", "envs": "Environments"}
_NAMES = ("ImageName", "ProfileName", "EnvName")


@dataclass(frozen=True)
class Run:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Cluster:
    """A head node and its EMS."""

    folder: Path
    ems: Emulator

    @property
    def out(self) -> Path:
        """Where node definitions and manifest go."""
        return self.folder / "out"

    @property
    def conf(self) -> Path:
        """Its slurm.conf."""
        return self.folder / "slurm.conf"

    @property
    def config(self) -> Path:
        """Its configuration."""
        return self.folder / "xio.yaml"

    def configure(self, document: dict[str, Any], **plugin: Any) -> None:
        """Write the configuration, with the emulator as its EMS; a setting that is None isn't there."""
        document = json.loads(json.dumps(document))
        (product,) = (key for key in ("Xio", "Xwo") if key in document["slurm"])
        section = document["slurm"][product]
        settings = {"EmsUrl": self.ems.url, **section.get("Plugin", {}), **plugin}
        section["Plugin"] = {key: value for key, value in settings.items() if value is not None}
        self.config.write_text(yaml.safe_dump(document, sort_keys=False))

    def command(self, name: str, *arguments: object, slurm_conf: bool = True, checks_amis: bool = False) -> list[str]:
        """A command's whole line. AWS isn't asked of AMIs unless a test has one."""
        conf = ("--slurm-conf", self.conf) if slurm_conf else ()
        aws = ("--no-aws-checks",) if name in {"plan", "apply"} and not checks_amis else ()
        files = ("-c", self.config, "-o", self.out, *conf)
        return list(map(str, (sys.executable, "-m", "xio_slurm.commands", name, *files, *aws, *arguments)))

    @property
    def environment(self) -> dict[str, str]:
        """No slurm.conf but the one that is given."""
        return {**os.environ, "SLURM_CONF": str(self.folder / "no-slurm.conf")}

    def run(
        self,
        name: str,
        *arguments: object,
        slurm_conf: bool = True,
        checks_amis: bool = False,
        environment: Mapping[str, str] = {},
    ) -> Run:
        """Run a command to its end; it never shows a traceback."""
        ended = subprocess.run(
            self.command(name, *arguments, slurm_conf=slurm_conf, checks_amis=checks_amis),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={**self.environment, **environment},
            cwd=self.folder,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in ended.stderr
        assert ended.returncode != 3, ended.stderr
        return Run(ended.returncode, ended.stdout, ended.stderr)

    def plan(self, *, adopt: bool = False, prune: bool = False) -> Plan:
        """What is left to do, by this process."""
        config = load(self.config).config
        return make_plan(config, self.out, str(self.conf), adopt=adopt, prune=prune, asks_aws=False)

    def apply(self, plan: Plan | None = None) -> tuple[Result, ...]:
        """Carry a plan out in this process, whichever way it ends."""
        with applying(plan or self.plan(), lambda _: None) as run:
            run.run()
        return run.stages.results()

    def is_applied(self) -> bool:
        """Apply in this process; whether all of it was done."""
        return {each.status for each in self.apply()} <= {Status.DONE, Status.UNCHANGED}

    def start(self, name: str, *arguments: object) -> "subprocess.Popen[str]":
        """Start a command, and go on."""
        return subprocess.Popen(
            self.command(name, *arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            cwd=self.folder,
        )

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """Everything on the EMS, as it tells it."""
        return {
            kind: requests.get(f"{self.ems.url}/v1/{kind.removesuffix('s')}s", timeout=10).json()[key]
            for kind, key in _PATHS.items()
        }

    def theirs(self) -> str:
        """Every byte of what the other cluster has."""
        names = {"theirs", "their-cluster"}
        mine = (each for documents in self.documents().values() for each in documents)
        return json.dumps([each for each in mine if names & {each.get(key) for key in _NAMES}])

    def state(self) -> dict[str, Any]:
        """All that an apply makes: documents without their Ids, in no order, and the files."""
        documents = {
            kind: sorted(
                json.dumps({key: value for key, value in each.items() if key != "Id"}, sort_keys=True)
                for each in of_kind
            )
            for kind, of_kind in self.documents().items()
        }
        files = {path.name: path.read_text() for path in self.out.iterdir() if not path.name.startswith(".")}
        state = json.dumps({"documents": documents, "files": files, "slurm.conf": self.conf.read_text()})
        masked: dict[str, Any] = json.loads(state.replace(self.ems.url, "<EMS>").replace(str(self.folder), "<F>"))
        return masked

    def writes(self) -> list[str]:
        """The requests so far that write."""
        return [f"{each.method} {each.path}" for each in self.ems.requests() if each.method != "GET"]


def scenario() -> Scenario:
    """An EMS that another cluster uses."""
    return Scenario.model_validate(THEIRS)


@pytest.fixture
def make_cluster(tmp_path: Path) -> Iterator[Callable[..., Cluster]]:
    """Makes clusters, each with an EMS of its own, whose settings are passed in."""
    with ExitStack() as running:
        count = 0

        def make(document: dict[str, Any] = SMALL, **settings: Any) -> Cluster:
            nonlocal count
            count += 1
            settings = {"boot_seconds": 0.05, "parse_seconds": 0.0, **settings}
            ems = running.enter_context(Emulator(scenario=scenario(), **settings))
            folder = tmp_path / f"cluster-{count}"
            folder.mkdir()
            cluster = Cluster(folder, ems)
            cluster.conf.write_text(SLURM_CONF)
            cluster.configure(document)
            return cluster

        yield make


@pytest.fixture
def cluster(make_cluster: Callable[..., Cluster]) -> Cluster:
    """One cluster with the small configuration."""
    return make_cluster()
