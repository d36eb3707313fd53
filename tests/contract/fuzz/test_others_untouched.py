"""What another cluster has on the same EMS is the same byte by byte after our commands, done or refused."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.contract.fuzz.calling import Called, call
from tests.contract.fuzz.clusters import CONFIGURATION, SLURM_CONF
from tests.contract.fuzz.ems import NAMES, PATHS, Ems, running
from xio_slurm.emulator.az1 import az1
from xio_slurm.emulator.scenario import Scenario
from xio_slurm.ledger import Ledger
from xio_slurm.manifest import Manifest
from xio_slurm.vms.names import is_test_name

Thing = tuple[str, str]
"""A kind of document (or ``vm``), and a name."""

NODE, TEST, OTHER_NODE = "xspot-vm-a-1", "xio-test-a-abcdef", "xspot-vm-other-7"
"""VMs of the other cluster: named like a node of ours, like a test VM of ours, and like neither."""


def pool(name: str, profile: str) -> dict[str, Any]:
    """A pool of the other cluster."""
    return {
        "PoolName": name,
        "PoolSize": 2,
        "ProfileName": profile,
        "Theirs": [{"b": 1, "a": None}],
        "VM": {"CPUs": 1, "ImageName": "theirs", "MaxMemory": 1000},
    }


def their_profile(name: str) -> dict[str, Any]:
    """A profile that says by its tags whose it is."""
    document = {**az1(), "ProfileName": name, "NodeGroupName": name, "Theirs": {"z": 1, "a": [True, {}]}}
    for part in ("Controller", "Worker"):
        document[part] = {**document[part], "InstanceTags": [{"Key": "xio-slurm.cluster", "Value": "their-cluster"}]}
    return document


OTHERS: Final = Scenario.model_validate(
    {
        "images": [
            {"ImageName": "theirs", "ImageId": "ami-9", "Theirs": {"b": 1, "a": [1, {"x": None}]}},
            {"ImageName": "rhel8-x86", "ImageId": "ami-8"},
        ],
        "profiles": [their_profile("amd"), their_profile("theirs")],
        "environments": [
            {"EnvName": "their-cluster", "Type": "slurm", "HeadAddress": "10.7.7.7", "Pools": [pool("a", "amd")]},
            {"EnvName": "lab2", "Type": "slurm", "HeadAddress": "10.7.7.8", "Pools": [pool("other", "theirs")]},
        ],
    }
)


@dataclass
class Cluster:
    """Our head node."""

    folder: Path
    ems: Ems

    def configure(
        self, *, cluster: str = "lab", pools: tuple[str, ...] = ("a",), image: str = "rhel8", **plugin: Any
    ) -> None:
        """Write the configuration."""
        document = json.loads(json.dumps(CONFIGURATION))
        section = document["slurm"]["Xio"]
        document["slurm"]["ClusterName"] = cluster
        section["Images"][0]["ImageName"] = section["DefaultImageName"] = image
        section["Pools"] = [{**section["Pools"][0], "PoolName": name} for name in pools]
        section["Plugin"] = {
            "EmsUrl": self.ems.emulator.url,
            "SlurmBinDir": str(self.folder / "no-slurm"),
            "StateDir": str(self.folder / "state"),
            "LogDir": str(self.folder / "log"),
            **plugin,
        }
        (self.folder / "xio.yaml").write_text(yaml.safe_dump(document))
        (self.folder / "slurm.conf").write_text(SLURM_CONF.replace("=lab", f"={cluster}"))

    def call(self, *arguments: str) -> Called:
        """Call ``xio``."""
        where: tuple[str, ...] = ("-c", str(self.folder / "xio.yaml"))
        if arguments[0] in {"plan", "apply"}:
            out, conf = str(self.folder / "out"), str(self.folder / "slurm.conf")
            where = (*where, "-o", out, "--slurm-conf", conf, "--no-aws-checks")
        return call((*arguments, *where), self.folder / "tmp")

    def everything(self) -> dict[Thing, bytes]:
        """Every document and VM of the EMS, to the byte."""
        found: dict[Thing, bytes] = {}
        for kind in PATHS:
            for name in (each[NAMES[kind]] for each in self.ems.documents(kind)):
                found[kind, name] = self.ems.ask("GET", f"/v1/{kind.removesuffix('s')}/{name}")
        for vm in self.ems.emulator.vms():
            told = self.ems.ask("GET", f"/v1/xcompute/vm/{vm.node}?detailedInfo=true")
            found["vm", vm.node] = told + repr(vm).encode()
        return found


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Ours, on the other's EMS."""
    for name in ("state", "log", "tmp"):
        (tmp_path / name).mkdir()
    with running(OTHERS) as ems:
        for node in (NODE, TEST, OTHER_NODE):
            ems.make_vm(node, "a", "amd")
        ems.emulator.wait_until(lambda: all(vm.address for vm in ems.emulator.vms()))
        made = Cluster(tmp_path, ems)
        made.configure(PrefixProfiles=True)
        yield made


def never_boots(cluster: Cluster) -> None:
    cluster.ems.emulator.add_fault(effect="never-boots")


def asks_in_vain(cluster: Cluster) -> None:
    cluster.ems.emulator.add_fault(effect="lost-answer", match={"method": "POST"})


def without_prefix(cluster: Cluster) -> None:
    cluster.configure()


def with_their_cluster(cluster: Cluster) -> None:
    cluster.configure(cluster="their-cluster")


def with_the_name_of_their_environment(cluster: Cluster) -> None:
    cluster.configure(cluster="lab2", PrefixProfiles=True)


def with_their_image(cluster: Cluster) -> None:
    cluster.configure(image="theirs", PrefixProfiles=True)


def with_more_pools(cluster: Cluster) -> None:
    cluster.configure(pools=("a", "other"), PrefixProfiles=True)


def with_fewer_pools(cluster: Cluster) -> None:
    cluster.configure(pools=("b",), PrefixProfiles=True)


def with_node_of_ours(cluster: Cluster) -> None:
    """A VM that the ledger calls ours."""
    manifest = Manifest.read(str(cluster.folder / "out" / "manifest.json"))
    assert manifest.pool_of("xspot-vm-a-2") is not None
    entry = {"version": 1, "node": "xspot-vm-a-2", "pool": "a", "phase": "ours", "asked": 1.0, "attempts": 1}
    nodes = cluster.folder / "state" / "nodes"
    nodes.mkdir(exist_ok=True)
    (nodes / "xspot-vm-a-2.json").write_text(json.dumps({**entry, "run": {"id": "xio-resume-1-2", "called": 1.0}}))
    cluster.ems.make_vm("xspot-vm-a-2", "a", "labamd")


@dataclass(frozen=True)
class Case:
    """Calls in turn, each a line and its exit code, or what is changed before the next. ``adopted`` may change."""

    steps: tuple[tuple[str, int] | Callable[[Cluster], object], ...]
    adopted: frozenset[Thing] = field(default=frozenset())


CREATE: Final = "image create --no-aws-checks --ami ami-22 --name"
CASES: Final = {
    "plan": Case((("plan", 0), ("plan --prune --adopt", 0), ("plan --json", 0))),
    "plan of what is theirs": Case((without_prefix, ("plan", 1), ("plan --prune", 1), ("plan --adopt --prune", 0))),
    "apply": Case((("apply --yes", 0), ("apply --yes --prune", 0), ("apply --yes --adopt", 0))),
    "apply refused": Case((without_prefix, ("apply --yes", 1), ("apply --yes --prune", 1))),
    "apply failed": Case((asks_in_vain, ("apply --yes", 0), ("apply --yes", 0))),
    "pools that come and go": Case(
        (
            with_more_pools,
            ("apply --yes", 0),
            with_fewer_pools,
            ("apply --yes", 0),
            ("apply --yes --prune", 1),
            with_more_pools,
            ("apply --yes --prune", 0),
        )
    ),
    "their profile adopted": Case(
        (
            without_prefix,
            ("apply --yes --adopt", 1),
            lambda cluster: cluster.ems.emulator.change(busy_profile="allow"),
            ("apply --yes --adopt", 0),
            ("apply --yes --prune", 0),
        ),
        frozenset({("profiles", "amd")}),
    ),
    "their cluster's name": Case((with_their_cluster, ("plan", 1), ("apply --yes", 1), ("apply --yes --prune", 1))),
    "their environment's name": Case(
        (with_the_name_of_their_environment, ("plan", 1), ("apply --yes", 1), ("apply --yes --prune", 1))
    ),
    "their cluster's environment adopted": Case(
        (
            lambda cluster: cluster.configure(cluster="their-cluster", PrefixProfiles=False),
            lambda cluster: cluster.ems.emulator.change(busy_profile="allow"),
            ("apply --yes --adopt --prune", 0),
        ),
        frozenset({("profiles", "amd"), ("envs", "their-cluster")}),
    ),
    "their image in our file": Case((with_their_image, ("plan", 1), ("apply --yes", 1))),
    "their image adopted": Case(
        (with_their_image, ("apply --yes --adopt", 0), ("apply --yes", 0)), frozenset({("images", "theirs")})
    ),
    "images looked at": Case((("image list", 0), ("image show theirs", 0), ("image show theirs --json", 0))),
    "images made": Case(
        (
            (f"{CREATE} mine", 0),
            (f"{CREATE.replace('22', '33')} mine", 1),
            (f"{CREATE.replace('22', '33')} mine --replace", 0),
            ("image delete mine --yes", 0),
        )
    ),
    "images made where none is renamed": Case(
        (
            lambda cluster: cluster.ems.emulator.change(image_rename="refuse", image_delete="refuse-in-use"),
            (f"{CREATE} rhel8", 0),
            (f"{CREATE.replace('22', '33')} rhel8 --replace", 0),
        )
    ),
    "image of their name": Case(((f"{CREATE} theirs", 1), (f"{CREATE} rhel8-x86", 1))),
    "image that they use": Case((("image delete theirs --yes", 1),)),
    "VMs looked at": Case(
        (("vm list", 0), ("vm list --all --json", 0), (f"vm show {NODE}", 0), (f"vm show {TEST} --json", 0))
    ),
    "test VM": Case((("vm test --pool a", 0),)),
    "test VM kept": Case((("vm test --pool a --keep", 0),)),
    "test VM in vain": Case((never_boots, ("vm test --pool a --timeout 2", 1))),
    "test VM whose answer is lost": Case((asks_in_vain, ("vm test --pool a --timeout 20", 0))),
    "their VMs not deleted": Case(tuple((f"vm delete {node} --yes --in-use", 1) for node in (NODE, TEST, OTHER_NODE))),
    "our VM deleted": Case(
        (("apply --yes", 0), with_node_of_ours, ("vm list", 0), ("vm delete xspot-vm-a-2 --yes --in-use", 0))
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_others_have_is_the_same_byte_by_byte(cluster: Cluster, case: Case) -> None:
    before = cluster.everything()
    assert {("profiles", "amd"), ("envs", "lab2"), ("images", "theirs"), ("vm", NODE)} <= before.keys()
    for step in case.steps:
        if isinstance(step, tuple):
            line, code = step
            called = cluster.call(*line.split())
            assert called.code == code, (line, called.out, called.err)
        else:
            step(cluster)
        after = cluster.everything()
        changed = {thing for thing in before if after.get(thing) != before[thing]}
        assert changed <= case.adopted, step
    theirs = {node for kind, node in before if kind == "vm"}
    entries = {entry.node for entry in Ledger(str(cluster.folder / "state")).entries() if entry.phase == "ours"}
    assert not entries & theirs
    left = {node for kind, node in cluster.everything() if kind == "vm" and is_test_name(node)}
    assert len(left) == 1 + any("--keep" in step[0] for step in case.steps if isinstance(step, tuple))


def test_a_vm_that_somebody_is_told_to_delete_all_the_same_goes_alone(cluster: Cluster) -> None:
    before = cluster.everything()
    assert cluster.call("vm", "delete", NODE, "--yes", "--in-use", "--not-ours").code == 0
    after = cluster.everything()
    assert before.keys() - after.keys() == {("vm", NODE)}
    assert all(after[thing] == before[thing] for thing in after)
