"""``--verify`` and the refusals for a running cluster, on a real slurmctld."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.slurm.versions import slurm_of
from tests.slurm.waiting import wait_for
from xio_slurm.deploy.publish import MANIFEST, NODE_DEFINITIONS
from xio_slurm.deploy.verify import verify
from xio_slurm.errors import DeployError
from xio_slurm.lab import Lab
from xio_slurm.shipped import shipped
from xio_slurm.slurm.conf import SlurmConf, parse, read
from xio_slurm.slurm.version import RECONFIGURE_NODES

SAMPLE = shipped("xio.yaml")
BIN = "/usr/bin"
OURS = """ResumeProgram=/opt/xio/bin/xio-resume
SuspendProgram=/opt/xio/bin/xio-suspend
NodeName=xspot-vm-a-[1-10] CPUs=24 RealMemory=6000 Weight=1 Feature=xio,a,amd State=CLOUD
PartitionName=xio-a Nodes=xspot-vm-a-[1-10] MaxTime=INFINITE State=UP SuspendTime=350
"""


@pytest.fixture(autouse=True)
def _leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Temporary folders come here, and after the test there is none, nor a process that knows one."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    yield
    assert not list(place.iterdir())
    wait_for(lambda: not _processes_of(place), 30)


def _processes_of(place: Path) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(place).encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


@pytest.fixture
def slurm_conf(tmp_path: Path) -> Callable[..., SlurmConf]:
    """Makes a cluster's slurm.conf, read as the command reads it."""

    def make(text: str, *, include: bool = True) -> SlurmConf:
        path = tmp_path / "slurm.conf"
        path.write_text(f"ClusterName=real\nSlurmctldHost=elsewhere\n{'include xio.nodes.conf' * include}\n{text}\n")
        return read(str(path), ours=str(tmp_path / "xio.nodes.conf"))

    return make


def ours(text: str = OURS) -> SlurmConf:
    return parse(text, "xio.nodes.conf")


@pytest.mark.parametrize("include", [True, False])
def test_good_definitions_are_taken(slurm_conf: Callable[..., SlurmConf], include: bool) -> None:
    conf = slurm_conf("NodeName=static CPUs=1\nPartitionName=batch Nodes=static Default=YES", include=include)
    assert verify(ours(), conf, BIN).warnings == ()


def test_without_a_slurm_conf_they_are_tried_alone() -> None:
    assert verify(ours(), None, BIN).warnings == ()


def test_what_a_real_cluster_has_and_this_machine_has_not_is_no_hindrance(
    slurm_conf: Callable[..., SlurmConf],
) -> None:
    conf = slurm_conf(
        "AuthType=auth/munge\nAuthInfo=socket=/nowhere\nAccountingStorageType=accounting_storage/slurmdbd\n"
        "AccountingStorageHost=db\nAccountingStorageEnforce=qos\nJobCompType=jobcomp/elasticsearch\n"
        "PrologSlurmctld=/nowhere/prolog\nStateSaveLocation=/nowhere/state\nSlurmUser=slurm-of-there\n"
        "SlurmctldPidFile=/nowhere/pid\nSlurmctldLogFile=/nowhere/log\nJobSubmitPlugins=lua\n"
        "PriorityType=priority/multifactor\nPreemptType=preempt/qos\nPreemptMode=REQUEUE\n"
        "NodeName=static CPUs=1\nPartitionName=batch Nodes=static QOS=gold PreemptMode=REQUEUE"
    )
    assert verify(ours(), conf, BIN).warnings == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("NodeName=xspot-vm-a-3 CPUs=1", r"Duplicated NodeName xspot-vm-a-3"),
        ("PartitionName=xio-a Nodes=ALL", r"duplicate entry for partition xio-a"),
        ("PartitionName=other Nodes=nobody", r"Invalid node names in partition other"),
        ("NodeName=ALL CPUs=1", r"'ALL' is a reserved word"),
        ("NodeName=static CPUs=1 NoSuchKey=1", r"NoSuchKey.*slurm\.conf line 4"),
    ],
)
def test_what_would_end_slurmctld_is_refused_in_its_own_words(
    slurm_conf: Callable[..., SlurmConf], text: str, words: str
) -> None:
    with pytest.raises(DeployError, match=words) as caught:
        verify(ours(), slurm_conf(text), BIN)
    assert "\n" not in str(caught.value)
    assert "xio-verify" not in str(caught.value)


def test_a_fault_of_ours_is_told_with_our_line() -> None:
    with pytest.raises(DeployError, match=r"xio\.nodes\.conf line 5"):
        verify(ours(f"{OURS}NodeName=b CPUs=1 NoSuchKey=1\n"), None, BIN)


def test_what_slurmctld_would_change_in_our_nodes_is_a_warning(slurm_conf: Callable[..., SlurmConf]) -> None:
    path = Path(slurm_conf("").path)
    path.write_text("ClusterName=x\nNodeName=DEFAULT Sockets=2 CoresPerSocket=4\ninclude xio.nodes.conf\n")
    conf = read(str(path), ours=str(path.parent / "xio.nodes.conf"))
    (line,) = verify(ours(), conf, BIN).warnings
    assert "xspot-vm-a-[1-10]" in line
    assert "Resetting CPUs" in line


def test_files_beside_slurm_conf_are_found(slurm_conf: Callable[..., SlurmConf], tmp_path: Path) -> None:
    conf = slurm_conf("TopologyPlugin=topology/tree\nNodeName=static CPUs=1\nPartitionName=batch Nodes=static")
    (tmp_path / "topology.conf").write_text("SwitchName=s1 NoSuchKey=1\n")
    with pytest.raises(DeployError, match=r"NoSuchKey|topology"):
        verify(ours(), conf, BIN)
    (tmp_path / "topology.conf").write_text("SwitchName=s1 Nodes=static,xspot-vm-a-[1-10]\n")
    verify(ours(), conf, BIN)


def test_an_include_that_is_missing_is_told_without_the_minute_that_slurmctld_waits(
    slurm_conf: Callable[..., SlurmConf],
) -> None:
    with pytest.raises(DeployError, match=r"slurm\.conf:4: includes .*gone\.conf"):
        verify(ours(), slurm_conf("include gone.conf"), BIN)


def test_a_slurmctld_that_says_nothing_is_ended_in_time(tmp_path: Path) -> None:
    program = tmp_path / "slurmctld"
    program.write_text("#!/bin/sh\nsleep 300 & sleep 300\n")
    program.chmod(0o755)
    with pytest.raises(DeployError, match=r"longer than 0\.5 s"):
        verify(ours(), None, str(tmp_path), timeout=0.5)


def test_a_slurmctld_that_dies_silently_is_told(tmp_path: Path) -> None:
    program = tmp_path / "slurmctld"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(DeployError, match="ended without a word"):
        verify(ours(), None, str(tmp_path))


def generate(*arguments: object, config: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "xio_slurm.commands", "generate", "-c", config, "-o", folder, *arguments)
    environment = {name: value for name, value in os.environ.items() if name != "SLURM_CONF"}
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment, check=False)


def test_the_command_verifies_the_sample_and_replaces_nothing_that_is_refused(tmp_path: Path) -> None:
    folder, conf = tmp_path / "out", tmp_path / "slurm.conf"
    conf.write_text("ClusterName=x\ninclude out/xio.nodes.conf\n")
    ended = generate("--verify", "--slurm-conf", conf, config=SAMPLE, folder=folder)
    assert ended.returncode == 0, ended.stderr
    assert "verified: " in ended.stdout
    before = (folder / NODE_DEFINITIONS).read_bytes(), (folder / MANIFEST).read_bytes()
    conf.write_text(
        "ClusterName=x\ninclude out/xio.nodes.conf\nPartitionName=bad Nodes=xspot-vm-intel-24core-350G-10\n"
    )
    smaller = tmp_path / "xio.yaml"
    smaller.write_text(SAMPLE.read_text().replace("PoolSize: 10", "PoolSize: 5"))
    refused = generate("--verify", "--slurm-conf", conf, config=smaller, folder=folder)
    assert refused.returncode == 1
    assert "Invalid node names in partition bad" in refused.stderr
    assert ((folder / NODE_DEFINITIONS).read_bytes(), (folder / MANIFEST).read_bytes()) == before


def test_a_running_cluster_is_not_hurt_unless_somebody_insists(lab: Lab, tmp_path: Path) -> None:
    # The lab's own include has its ports added, so the same cluster is looked at through a copy that includes ours.
    folder, conf = tmp_path / "out", tmp_path / "slurm.conf"
    assert generate(config=SAMPLE, folder=folder).returncode == 0
    text = lab.layout.slurm_conf.read_text()
    conf.write_text(text.replace(str(lab.layout.node_definitions), str(folder / NODE_DEFINITIONS)))
    assert str(folder) in conf.read_text()
    without = tmp_path / "xio.yaml"
    without.write_text(re.sub(r"(PoolName: amd-8-gb-1-cores[^-]*?PoolSize: )10", r"\g<1>1", SAMPLE.read_text()))
    submitted = lab.run(
        "sbatch",
        "--parsable",
        "-w",
        "xspot-vm-amd-8-gb-1-cores-3",
        "-p",
        "xio",
        "-o",
        "/dev/null",
        "--wrap",
        "sleep 600",
    )
    assert submitted.returncode == 0, submitted.stderr
    job = submitted.stdout.strip()
    try:
        wait_for(lambda: "-3" in lab.run("squeue", "-h", "-j", job, "-o", "%N").stdout, 60)
        before = (folder / NODE_DEFINITIONS).read_bytes()
        refused = generate("--slurm-conf", conf, config=without, folder=folder)
        assert refused.returncode == 1, refused.stdout
        assert ("slurmctld is running with" in refused.stderr) == (slurm_of(lab) < RECONFIGURE_NODES)
        assert re.search(rf"job {job} of \S+ is \w+ on xspot-vm-amd-8-gb-1-cores-3, which would go", refused.stderr)
        assert (folder / NODE_DEFINITIONS).read_bytes() == before
        insisted = generate("--slurm-conf", conf, "--yes", config=without, folder=folder)
        assert insisted.returncode == 0, insisted.stderr
        assert f"job {job}" in insisted.stderr
        assert (folder / NODE_DEFINITIONS).read_bytes() != before
    finally:
        lab.run("scancel", job)
        lab.wait_until_idle(240)


def test_the_throw_away_slurmctld_runs_as_anybody(tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root to become somebody else")
    place = Path("/tmp") / f"xio-verify-test-{os.getpid()}"  # noqa: S108  pytest's own folders are closed to others
    place.mkdir()
    try:
        place.chmod(0o777)
        code = (
            "import tempfile; from xio_slurm.deploy.verify import verify; from xio_slurm.slurm.conf import parse;"
            f"tempfile.tempdir = {str(place)!r};"
            f"print(verify(parse({OURS!r}, 'x'), None, '/usr/bin'))"
        )
        command = ("setpriv", "--reuid=daemon", "--regid=daemon", "--clear-groups", sys.executable, "-c", code)
        ended = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
        assert ended.returncode == 0, ended.stderr
        assert not list(place.iterdir())
    finally:
        shutil.rmtree(place)
