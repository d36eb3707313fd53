"""A cluster to plan and apply for, in one of the states that it can be in before."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import yaml

from tests.contract.fuzz.calling import Called, call
from tests.contract.fuzz.ems import Ems, running
from tests.contract.fuzz.judging import judge_slurm_files
from tests.contract.fuzz.mangler import DOCUMENTS, IMAGES
from xio_slurm.emulator.scenario import Scenario

SLURM_CONF: Final = """\
ClusterName=lab
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=1
SlurmUser=nobody-here
SlurmctldParameters=idle_on_node_suspend
NodeName=static CPUs=1
PartitionName=batch Nodes=static
"""
"""No user of this machine, so that nobody tries whether he can run our programs: that takes a third of a second."""

CONFIGURATION: Final[dict[str, Any]] = {
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

THEIRS: Final[dict[str, list[dict[str, Any]]]] = {
    "images": [{"ImageName": "theirs", "ImageId": "ami-9", "Odd": {"b": 1, "a": [1, {"x": None}]}}],
    "profiles": [],
    "environments": [
        {
            "EnvName": "their-cluster",
            "Type": "slurm",
            "HeadAddress": "10.7.7.7",
            "Pools": [
                {
                    "PoolName": "a",
                    "PoolSize": 2,
                    "ProfileName": "az1",
                    "VM": {"CPUs": 1, "ImageName": "theirs", "MaxMemory": 1000},
                }
            ],
        }
    ],
}
"""What another cluster has on the same EMS."""


@dataclass(frozen=True, slots=True)
class Before:
    """What there is before a run: the EMS, and the files of ours by where the EMS is had."""

    ems: Ems
    files: dict[bool, dict[str, bytes]]
    conf: dict[bool, str]


class Clusters:
    """The head node; ``befores`` are what can be there when a run begins."""

    def __init__(self, folder: Path, befores: tuple[Before, ...]) -> None:
        self._befores = befores
        self._folder = folder
        self.temporary = folder / "tmp"
        self.out = folder / "out"
        self.conf = folder / "etc" / "slurm.conf"
        self._mangled = False
        self._before = befores[0]

    @property
    def ems(self) -> Ems:
        """The EMS of this run."""
        return self._before.ems

    def begin(self, random: Random) -> None:
        """Choose how a run begins, and make it so."""
        self._mangled = random.random() < 0.6
        self._before = random.choice(self._befores)
        for folder in (self.out, self.conf.parent, self.temporary):
            shutil.rmtree(folder, ignore_errors=True)
        self.conf.parent.mkdir()
        self.temporary.mkdir()
        self.conf.write_text(self.old_conf)
        self.restore()
        self.ems.reset()

    def restore(self) -> None:
        """The files as they were."""
        for name, content in self._before.files[self._mangled].items():
            self.out.mkdir(exist_ok=True)
            (self.out / name).write_bytes(content)

    @property
    def old_conf(self) -> str:
        """slurm.conf before the run."""
        return self._before.conf[self._mangled]

    def spoil(self, random: Random) -> None:
        """The EMS has a bad day from now on."""
        self.ems.spoil(random, DOCUMENTS + IMAGES, mangled=self._mangled)

    def call(self, command: str, *options: str, terminal: bool = False) -> Called:
        """``xio plan`` or ``xio apply``."""
        where = ("-c", str(self._config), "-o", str(self.out), "--slurm-conf", str(self.conf))
        arguments = (command, *where, "--no-aws-checks", *options)
        return call(arguments, self.temporary, terminal=terminal, hurried=self.ems.is_spoilt)

    def files(self) -> dict[str, bytes]:
        """Every file of ours, and slurm.conf."""
        return {str(path): path.read_bytes() for path in (*self.out.glob("*"), *self.conf.parent.glob("*"))}

    def judge_files(self) -> None:
        """Raise AssertionError if something is half-written."""
        if self.old_conf == SLURM_CONF:
            judge_slurm_files(self.out, self.conf, SLURM_CONF)
        else:
            judge_slurm_files(self.out, self.conf, self.old_conf)

    @property
    def _config(self) -> Path:
        url = self.ems.url(mangled=self._mangled)
        path = self._folder / f"xio-{url.rpartition(':')[2]}.yaml"
        if not path.exists():
            configure(path, url, self._folder)
        return path


def configure(path: Path, url: str, folder: Path) -> None:
    """Write a configuration for the EMS there."""
    document = json.loads(json.dumps(CONFIGURATION))
    none = folder / "no-slurm"
    if not none.exists():
        none.mkdir()
        (none / "slurmctld").symlink_to(
            "/bin/true"
        )  # quicker than this machine's, which would be asked for its version
    document["slurm"]["Xio"]["Plugin"] = {
        "EmsUrl": url,
        "ConnectTimeout": 5,
        "ReadTimeout": 5,
        "MaxConcurrentRequests": 4,
        "SlurmBinDir": str(none),
        "StateDir": str(folder / "state"),
        "LogDir": str(folder / "log"),
    }
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def options(random: Random) -> tuple[str, ...]:
    """Options that change what is done or how it is told."""
    return tuple(option for option in ("--adopt", "--prune", "--json") if random.random() < 0.3)


@contextmanager
def clusters(folder: Path) -> Iterator[Clusters]:
    """Ones where nothing of ours is, where all is as it should be, and where it is older than the configuration."""
    with ExitStack() as stack:
        fresh = stack.enter_context(running(Scenario.model_validate(THEIRS)))
        files: dict[bool, dict[str, bytes]] = {}
        for mangled in (False, True):
            files[mangled] = _applied(folder, fresh, mangled=mangled)
        settled = stack.enter_context(running(_scenario(fresh, older=False)))
        older = stack.enter_context(running(_scenario(fresh, older=True)))
        nothing: dict[bool, dict[str, bytes]] = {False: {}, True: {}}
        confs = {False: SLURM_CONF, True: SLURM_CONF}
        included = dict.fromkeys((False, True), f"{SLURM_CONF}include {folder / 'out' / 'xio.nodes.conf'}\n")
        yield Clusters(
            folder,
            (
                Before(fresh, nothing, confs),
                Before(fresh, nothing, confs),
                Before(older, _elsewhere(files, fresh, older), included),
                Before(older, nothing, confs),
                Before(settled, _elsewhere(files, fresh, settled), included),
            ),
        )


def _elsewhere(files: dict[bool, dict[str, bytes]], one: Ems, other: Ems) -> dict[bool, dict[str, bytes]]:
    """The files for another EMS's URL: ports have as many digits, and digests are of the node definitions alone."""
    return {
        mangled: {
            name: content.replace(one.url(mangled=mangled).encode(), other.url(mangled=mangled).encode())
            for name, content in of_one.items()
        }
        for mangled, of_one in files.items()
    }


def _applied(folder: Path, ems: Ems, *, mangled: bool) -> dict[str, bytes]:
    cluster = Clusters(folder, (Before(ems, {False: {}, True: {}}, dict.fromkeys((False, True), SLURM_CONF)),))

    class Always(Random):
        def random(self) -> float:
            return 0.0 if mangled else 0.9

    cluster.begin(Always())
    called = cluster.call("apply", "--yes")
    assert called.code == 0, called.err
    return {path.name: path.read_bytes() for path in cluster.out.glob("[!.]*")}


def _scenario(ems: Ems, *, older: bool) -> Scenario:
    """What the EMS has now; or what it may have had some time ago."""
    documents = {
        key: [{name: value for name, value in each.items() if name != "Id"} for each in ems.documents(kind)]
        for key, kind in (("images", "images"), ("profiles", "profiles"), ("environments", "envs"))
    }
    documents["profiles"] = [each for each in documents["profiles"] if each["ProfileName"] != "az1"]
    if older:
        (image,) = (each for each in documents["images"] if each["ImageName"] == "rhel8")
        image["ImageId"] = "ami-0"
        (profile,) = (each for each in documents["profiles"] if each["ProfileName"] == "amd")
        profile["MaxControllers"] = 3
        profile["Later"] = {"than": ["us"]}
        (environment,) = (each for each in documents["environments"] if each["EnvName"] == "lab")
        pool = environment["Pools"][0]
        gone = {**pool, "PoolName": "gone", "VM": {**pool["VM"], "Later": 1}}
        environment["Pools"] = [{**pool, "PoolSize": 1}, gone]
    return Scenario.model_validate(documents)
