from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from xio_slurm.deploy.conflicts import Conflicts, conflicts
from xio_slurm.deploy.trial_conf import Place, trial_conf
from xio_slurm.manifest import Delegates
from xio_slurm.slurm.conf import SlurmConf, parse, read

NO_DELEGATES = Delegates(None, None, None)
PLACE = Place(Path("/tmp/private"), "head", "me", 12345)  # noqa: S108  never opened


@pytest.fixture
def ours(make: Any) -> SlurmConf:
    return parse(make.compiled(make.pool("a")).node_definitions, "xio.nodes.conf")


def found(tmp_path: Path, text: str, ours: SlurmConf, delegates: Delegates = NO_DELEGATES) -> Conflicts:
    path = tmp_path / "slurm.conf"
    path.write_text(text if "SlurmctldParameters" in text else f"{text}SlurmctldParameters=idle_on_node_suspend\n")
    return conflicts(read(str(path), ours=str(tmp_path / "xio.nodes.conf")), ours, delegates)


def test_a_plain_slurm_conf_that_includes_us_is_fine(tmp_path: Path, ours: SlurmConf) -> None:
    (tmp_path / "xio.nodes.conf").write_text("NodeName=xspot-vm-a-[1-10]\n")
    text = "ClusterName=x\nNodeName=static CPUs=1\nPartitionName=batch Nodes=static\ninclude xio.nodes.conf\n"
    assert found(tmp_path, text, ours) == Conflicts((), ())


def test_nodes_that_are_defined_already_are_told_with_the_place(tmp_path: Path, ours: SlurmConf) -> None:
    result = found(tmp_path, "ClusterName=x\nNodeName=xspot-vm-a-[3-4],other CPUs=1\n", ours)
    (line,) = result.errors
    assert f"{tmp_path}/slurm.conf:2" in line
    assert "node xspot-vm-a-[3-4]:" in line


def test_partitions_and_node_sets_of_our_names_are_told(tmp_path: Path, ours: SlurmConf) -> None:
    result = found(tmp_path, "PartitionName=xio-a Nodes=ALL\nPartitionName=xio\nNodeSet=xspot-vm-a-1 Feature=x\n", ours)
    assert [line.split(":")[0] for line in result.errors] == ["partition xio-a", "partition xio", "node xspot-vm-a-1"]


def test_an_include_that_is_missing_is_told(tmp_path: Path, ours: SlurmConf) -> None:
    assert "gone.conf" in found(tmp_path, "include gone.conf\n", ours).errors[0]


def test_another_resume_program_is_to_be_delegated_to(tmp_path: Path, ours: SlurmConf) -> None:
    text = "ResumeProgram=/pc/resume\ninclude xio.nodes.conf\n"
    (line,) = found(tmp_path, text, ours).warnings
    assert "DelegateResumeProgram" in line
    assert "/pc/resume" in line
    assert not found(tmp_path, text, ours, structs.replace(NO_DELEGATES, resume="/pc/resume")).warnings


def test_a_program_set_behind_the_include_would_win(tmp_path: Path, ours: SlurmConf) -> None:
    delegates = structs.replace(NO_DELEGATES, suspend="/pc/suspend")
    (line,) = found(tmp_path, "include xio.nodes.conf\nSuspendProgram=/pc/suspend\n", ours, delegates).warnings
    assert line.startswith(f"{tmp_path}/slurm.conf:2: sets SuspendProgram behind")


def test_defaults_that_would_hold_for_our_nodes_are_told(tmp_path: Path, ours: SlurmConf) -> None:
    before = "NodeName=DEFAULT Sockets=2\nPartitionName=DEFAULT MaxNodes=2\n"
    text = f"{before}include xio.nodes.conf\nNodeName=DEFAULT Boards=1\n"
    assert [line.split(" hold")[0] for line in found(tmp_path, text, ours).warnings] == [
        f"{tmp_path}/slurm.conf:1: its defaults (sockets)",
        f"{tmp_path}/slurm.conf:2: its defaults (maxnodes)",
    ]


def test_a_configless_slurmctld_does_not_ship_an_include_with_a_path(tmp_path: Path, ours: SlurmConf) -> None:
    configless = "SlurmctldParameters=enable_configless,idle_on_node_suspend\n"
    assert "configless" in found(tmp_path, f"{configless}include {tmp_path}/xio.nodes.conf\n", ours).warnings[0]
    assert not found(tmp_path, f"{configless}include xio.nodes.conf\n", ours).warnings


SECRETIVE = """ClusterName=real
SlurmctldHost=head1
SlurmctldPort=6817
AuthType=auth/slurm
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=db
AccountingStorageEnforce=limits
JobCompType=jobcomp/elasticsearch
PrologSlurmctld=/site/prolog
ResumeProgram=/pc/resume
SlurmctldParameters=idle_on_node_suspend
StateSaveLocation=/var/spool/slurmctld
PriorityType=priority/multifactor
JobSubmitPlugins=lua
NodeName=static CPUs=1 Comment="a # b"
include xio.nodes.conf
PartitionName=batch Nodes=static QOS=gold PreemptMode=REQUEUE AllowQos=a,b MaxTime=1
"""


def test_the_trials_slurm_conf_reaches_nobody_and_keeps_what_matters(tmp_path: Path, ours: SlurmConf) -> None:
    path = tmp_path / "slurm.conf"
    path.write_text(SECRETIVE.replace("a # b", "a \\# b"))
    text = trial_conf(read(str(path), ours=str(tmp_path / "xio.nodes.conf")), ours, PLACE).text
    for gone in ("slurmdbd", "=db", "limits", "elastic", "/site", "/pc", "/opt/xio", "auth/slurm", "head1", "6817"):
        assert gone not in text
    for gone in ("/var/spool", "multifactor", "lua", "gold", "REQUEUE", "AllowQos"):
        assert gone not in text
    trial = parse(text, "trial")
    assert trial.get("ClusterName") == "real"
    assert trial.get("SlurmctldHost") == "head(127.0.0.1)"
    assert trial.get("SlurmctldParameters") == "idle_on_node_suspend"
    assert trial.get("ResumeProgram") == "/bin/true"
    assert dict(trial.nodes["xspot-vm-a-1"].pairs())["nodeaddr"] == ",".join(["127.0.0.1"] * 10)
    assert dict(trial.nodes["static"].pairs())["comment"] == "a # b"
    assert dict(trial.partitions["batch"].pairs()) == {"partitionname": "batch", "nodes": "static", "maxtime": "1"}
    assert [name for name in trial.nodes if name.startswith("x")] == list(ours.nodes)
    assert len(trial.values("ClusterName")) == 1


def test_a_line_of_the_trial_is_traced_to_its_file(tmp_path: Path, ours: SlurmConf) -> None:
    path = tmp_path / "slurm.conf"
    path.write_text(SECRETIVE)
    trial = trial_conf(read(str(path), ours=str(tmp_path / "xio.nodes.conf")), ours, PLACE)
    numbers = {line.split()[0]: number for number, line in enumerate(trial.text.splitlines(), 1)}
    assert str(trial.origin(numbers["NodeName=static"])) == f"{path}:15"
    assert str(trial.origin(numbers["PartitionName=batch"])) == f"{path}:17"
    origin = trial.origin(numbers["NodeName=xspot-vm-a-[1-10]"])
    assert origin is not None
    assert origin.file == "xio.nodes.conf"
    assert trial.origin(1) is None
    assert trial.origin(0) is None
    assert trial.origin(10_000) is None


def test_without_a_slurm_conf_the_trial_has_a_name_and_our_nodes(ours: SlurmConf) -> None:
    trial = parse(trial_conf(None, ours, PLACE).text, "trial")
    assert trial.get("ClusterName")
    assert list(trial.nodes) == list(ours.nodes)


def test_a_cluster_that_keeps_failed_nodes_down_is_told(tmp_path: Path, ours: SlurmConf) -> None:
    (line,) = found(tmp_path, "SlurmctldParameters=cloud_dns\n", ours).warnings
    assert "no idle_on_node_suspend" in line
