"""Who gets the nodes that aren't ours, and where the head node is: read from slurm.conf."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from xio_slurm.deploy.conflicts import conflicts
from xio_slurm.deploy.delegation import Delegation, delegation, kept
from xio_slurm.deploy.launchers import launcher
from xio_slurm.errors import DeployError
from xio_slurm.manifest import Delegates
from xio_slurm.plan.head import cluster_of, head_of
from xio_slurm.slurm.conf import SlurmConf, parse, read

NONE = Delegates(None, None, None)
PC = "/opt/parallelcluster/scripts/slurm"
FORMER = "/opt/slurm/etc/exostellar"
PARALLELCLUSTERS = f"ResumeProgram={PC}/slurm_resume\nSuspendProgram={PC}/slurm_suspend\n"


def conf_of(tmp_path: Path, text: str) -> SlurmConf:
    (tmp_path / "slurm.conf").write_text(text)
    return read(str(tmp_path / "slurm.conf"), ours=str(tmp_path / "xio.nodes.conf"))


def found(tmp_path: Path, text: str, configured: Delegates = NONE) -> Delegation:
    return delegation(configured, conf_of(tmp_path, text), parallelcluster=tmp_path / "pc")


def test_the_programs_of_slurm_conf_become_the_delegates_and_it_is_said_where_they_stand(tmp_path: Path) -> None:
    result = found(tmp_path, f"{PARALLELCLUSTERS}ResumeFailProgram=/site/fail\n")
    assert result.delegates == Delegates(f"{PC}/slurm_resume", f"{PC}/slurm_suspend", "/site/fail")
    assert f"ResumeProgram of the nodes that aren't ours: {PC}/slurm_resume ({tmp_path}/slurm.conf:1)" in result.notes
    assert not result.warnings


def test_they_are_the_same_once_our_include_is_in_its_place(tmp_path: Path) -> None:
    before = found(tmp_path, PARALLELCLUSTERS)
    (tmp_path / "xio.nodes.conf").write_text("ResumeProgram=/opt/xio/bin/xio-resume\n")
    assert found(tmp_path, f"{PARALLELCLUSTERS}include xio.nodes.conf\n") == before


def test_the_last_one_counts_and_ours_never_do(tmp_path: Path) -> None:
    mine = tmp_path / "resume-of-this-cluster"
    mine.write_text(launcher(Path("/opt/xio/bin/xio-resume"), Path("/etc/xio/manifest.json")))
    text = f"ResumeProgram=/a\nResumeProgram=/b\nResumeProgram=/x/xio-resume\nResumeProgram={mine}\n"
    assert found(tmp_path, text).delegates.resume == "/b"


def test_what_the_configuration_names_stands(tmp_path: Path) -> None:
    configured = structs.replace(NONE, resume="/mine")
    assert found(tmp_path, PARALLELCLUSTERS, configured).delegates == Delegates("/mine", f"{PC}/slurm_suspend", None)


def test_the_former_scripts_never_become_delegates_and_parallelclusters_take_their_place(tmp_path: Path) -> None:
    text = f"ResumeProgram={FORMER}/resume_xspot.sh\nSuspendProgram={FORMER}/suspend_xspot.sh\n"
    result = found(tmp_path, text)
    assert result.delegates == NONE
    assert [line.split(": ")[0] for line in result.warnings] == [f"{tmp_path}/slurm.conf:{n}" for n in (1, 2)]
    (tmp_path / "pc").mkdir()
    for name in ("slurm_resume", "slurm_suspend"):
        (tmp_path / "pc" / name).touch()
    result = found(tmp_path, text)
    assert result.delegates == Delegates(f"{tmp_path}/pc/slurm_resume", f"{tmp_path}/pc/slurm_suspend", None)


def test_an_earlier_line_of_parallelcluster_counts_behind_the_former_scripts(tmp_path: Path) -> None:
    result = found(tmp_path, f"{PARALLELCLUSTERS}ResumeProgram={FORMER}/resume_xspot.sh\n")
    assert result.delegates == Delegates(f"{PC}/slurm_resume", f"{PC}/slurm_suspend", None)


def test_nobody_is_told_to_delegate_to_the_former_scripts(tmp_path: Path, make: Any) -> None:
    ours = parse(make.compiled(make.pool("a")).node_definitions, "xio.nodes.conf")
    conf = conf_of(tmp_path, f"ResumeProgram={FORMER}/resume_xspot.sh\n")
    assert not [line for line in conflicts(conf, ours, NONE).warnings if "DelegateResumeProgram" in line]


def test_without_slurm_conf_the_manifests_delegates_stay_behind_what_the_configuration_names(make: Any) -> None:
    manifest = make.compiled(plugin=replace(make.plugin(), delegates=Delegates("/a", "/b", None))).manifest
    result = kept(structs.replace(NONE, suspend="/mine"), manifest)
    assert result.delegates == Delegates("/a", "/mine", None)
    assert result.notes == ("ResumeProgram of the nodes that aren't ours: /a (kept: there is no slurm.conf here)",)
    assert kept(NONE, None).delegates == NONE


def test_a_program_that_a_later_one_has_overruled_loses_no_nodes(tmp_path: Path, make: Any) -> None:
    ours = parse(make.compiled(make.pool("a")).node_definitions, "xio.nodes.conf")
    conf = conf_of(tmp_path, "ResumeProgram=/a\nResumeProgram=/b\n")
    assert not [line for line in conflicts(conf, ours, structs.replace(NONE, resume="/b")).warnings if "/a" in line]


def test_the_former_scripts_node_definitions_are_to_be_taken_out_of_slurm_conf(tmp_path: Path, make: Any) -> None:
    ours = parse(make.compiled(make.pool("a")).node_definitions, "xio.nodes.conf")
    lines = [f"NodeName=xspot-vm-a-{number} CPUs=1" for number in range(1, 6)]
    (tmp_path / "lab_xspot.slurm.conf").write_text("\n".join([*lines, "PartitionName=xio-a Nodes=xspot-vm-a-[1-5]"]))
    text = "NodeName=xspot-vm-a-7 CPUs=1\ninclude lab_xspot.slurm.conf\n"
    former, other = conflicts(conf_of(tmp_path, text), ours, NONE).errors
    assert former == (
        f"{tmp_path}/lab_xspot.slurm.conf: the former scripts' node definitions, with 5 of our nodes and 1 of our"
        " partitions: take the line away that includes it in slurm.conf"
    )
    assert other.startswith(f"node xspot-vm-a-7: defined already at {tmp_path}/slurm.conf:1: ")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("SlurmctldHost=head(10.1.2.3)\nSlurmctldHost=backup(10.1.2.4)\n", "10.1.2.3"),
        ("SlurmctldHost=head.example.com\n", "head.example.com"),
        ("SlurmctldHost=head\n" + PARALLELCLUSTERS, "head_node.lab.pcluster"),
        ("ClusterName=lab\n", ""),
    ],
)
def test_the_head_nodes_address_is_slurm_confs(tmp_path: Path, make: Any, text: str, address: str) -> None:
    head = head_of(make.config(), "lab", conf_of(tmp_path, text), None)
    assert (head.address, head.conf_path, head.bin_path) == (address, str(tmp_path), "/usr/bin")


def test_the_configured_head_address_comes_first(tmp_path: Path, make: Any) -> None:
    config = make.config(plugin=replace(make.plugin(), head_address="10.9.9.9"))
    assert head_of(config, "lab", conf_of(tmp_path, "SlurmctldHost=head\n"), None).address == "10.9.9.9"


def test_without_slurm_conf_the_environment_keeps_what_it_has(make: Any) -> None:
    known = {"EnvName": "lab", "HeadAddress": "10.1.1.1", "Slurm": {"ConfPath": "/opt/slurm/etc"}}
    head = head_of(make.config(), "lab", None, known)
    assert (head.address, head.conf_path) == ("10.1.1.1", "/opt/slurm/etc")


def test_the_clusters_name_is_the_files_else_slurm_confs_else_an_error(tmp_path: Path, make: Any) -> None:
    conf = conf_of(tmp_path, "ClusterName=other\n")
    assert cluster_of(make.config(), conf) == "lab"
    assert cluster_of(make.config(cluster=None), conf) == "other"
    for nothing in (None, conf_of(tmp_path, "\n")):
        with pytest.raises(DeployError, match=r"\A[^\n]*add ClusterName under slurm\Z"):
            cluster_of(make.config(cluster=None), nothing)
