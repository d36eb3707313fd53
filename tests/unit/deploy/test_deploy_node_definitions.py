import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from xio_slurm.config.real_memory import real_memory
from xio_slurm.deploy.node_definitions import nodes_of, render
from xio_slurm.deploy.programs import Programs
from xio_slurm.errors import DeployError
from xio_slurm.slurm.conf import parse
from xio_slurm.slurm.hostlist import expand


def test_a_pool_is_one_line_of_cloud_nodes(make: Any) -> None:
    text = render(make.config(), make.programs)
    assert (
        "NodeName=xspot-vm-amd-8-gb-1-cores-[1-10] CPUs=24 RealMemory=6800 Weight=66"
        " Feature=xio,amd-8-gb-1-cores,amd State=CLOUD\n"
    ) in text


def test_the_timeouts_stand_at_our_partitions_and_not_at_the_top(make: Any) -> None:
    conf = parse(render(make.config(), make.programs), "x")
    for key in ("SuspendTime", "SuspendTimeout", "ResumeTimeout"):
        assert conf.get(key) is None
    for _, line in conf.values("PartitionName"):
        pairs = dict(line.pairs())
        assert (pairs["suspendtime"], pairs["suspendtimeout"], pairs["resumetimeout"]) == ("350", "120", "600")


def test_the_union_partition_holds_every_node_and_each_pool_has_its_own(make: Any) -> None:
    conf = parse(render(make.config(make.pool("a"), make.pool("b", size=1)), make.programs), "x")
    nodes = {name: dict(line.pairs())["nodes"] for name, line in conf.values("PartitionName")}
    assert set(nodes) == {"xio", "xio-a", "xio-b"}
    assert set(expand(nodes["xio"])) == set(expand(nodes["xio-a"])) | set(expand(nodes["xio-b"]))
    assert set(expand(nodes["xio"])) == set(conf.nodes)


def test_the_programs_are_named(make: Any) -> None:
    conf = parse(render(make.config(), make.programs), "x")
    assert conf.get("ResumeProgram") == make.programs.resume
    assert conf.get("SuspendProgram") == make.programs.suspend
    assert conf.get("ResumeFailProgram") == make.programs.resume_fail
    assert (conf.get("ResumeRate"), conf.get("SuspendRate")) == ("100", "100")


def test_the_rates_of_the_whole_cluster_stay_slurm_confs_where_the_file_says_nothing(make: Any) -> None:
    plugin = replace(make.plugin(), resume_rate=None, suspend_rate=None)
    conf = parse(render(make.config(plugin=plugin), make.programs), "nodes")
    assert (conf.get("ResumeRate"), conf.get("SuspendRate")) == (None, None)


def test_the_same_configuration_gives_the_same_bytes_wherever_its_file_lies(make: Any) -> None:
    one, other = make.config(), make.config(file="/somewhere/else/xio.yaml")
    assert render(one, make.programs) == render(other, make.programs)


def test_the_header_names_the_file_and_no_line_break_of_its_name_gets_out(make: Any) -> None:
    text = render(make.config(file="/etc/evil\nNodeName=x.yaml"), make.programs)
    assert "from evil?NodeName=x.yaml" in text
    assert "x.yaml" not in parse(text, "x").nodes


def test_no_pools_give_a_file_without_nodes_and_partitions(make: Any) -> None:
    conf = parse(render(replace(make.config(), pools=()), make.programs), "x")
    assert not conf.nodes
    assert not conf.partitions
    assert conf.get("ResumeProgram")


def test_a_pool_named_like_its_profile_has_the_feature_once(make: Any) -> None:
    assert "Feature=xio,amd State" in render(make.config(make.pool("amd")), make.programs)


@pytest.mark.parametrize("size", [1, 2, 10, 1000])
def test_slurm_reads_the_names_of_a_pool_as_we_do(make: Any, tmp_path: Path, size: int) -> None:
    pool = make.pool("amd-8-gb-1-cores", size=size)
    conf = tmp_path / "slurm.conf"
    conf.write_text("ClusterName=x\nSlurmctldHost=localhost\n")
    expression = nodes_of(make.config(pool), pool)
    command = ("/usr/bin/scontrol", "show", "hostnames", expression)
    shown = subprocess.run(command, env={"SLURM_CONF": str(conf)}, capture_output=True, text=True, check=True).stdout
    assert shown.split() == [f"xspot-vm-amd-8-gb-1-cores-{n}" for n in range(1, size + 1)]
    assert expand(expression) == tuple(shown.split())


@pytest.mark.parametrize("name", ["", "a b", "a,b", "a[1]", "a=b", "a#b", "-a", "ä", "DEFAULT", "all", "a\nb"])
def test_a_pool_name_that_slurm_would_misread_is_refused(make: Any, name: str) -> None:
    with pytest.raises(DeployError, match="Slurm can't take this name"):
        render(make.config(make.pool(name)), make.programs)


@pytest.mark.parametrize("changes", [{"partition": "x y"}, {"partition": "Default"}])
def test_a_partition_name_that_slurm_would_misread_is_refused(make: Any, changes: dict[str, str]) -> None:
    with pytest.raises(DeployError, match="partition"):
        render(make.config(**changes), make.programs)


def test_a_feature_that_slurm_would_split_is_refused(make: Any) -> None:
    with pytest.raises(DeployError, match="profile 'a,b'"):
        render(make.config(make.pool("a", profile="a,b")), make.programs)


def test_a_node_name_longer_than_a_host_name_is_refused(make: Any) -> None:
    fits = make.pool("x" * (63 - len("xspot-vm--9")), size=9)
    assert render(make.config(fits), make.programs)
    with pytest.raises(DeployError, match="longer than 63"):
        render(make.config(replace(fits, size=10)), make.programs)


def test_two_pools_of_one_name_are_refused(make: Any) -> None:
    with pytest.raises(DeployError, match="two of this name"):
        render(make.config(make.pool("a"), make.pool("a")), make.programs)


@pytest.mark.parametrize("path", ["xio-resume", "/a b/xio-resume", "/a#b", "/a\\b", '/a"b', "/a\nb"])
def test_a_program_path_that_slurm_would_misread_is_refused(make: Any, path: str) -> None:
    with pytest.raises(DeployError, match="absolute path without spaces"):
        render(make.config(), Programs(path, "/b", "/c"))


@pytest.mark.parametrize("memory", [1, 300, 1024, 7200, 30000, 350_000, 1_037_312])
def test_real_memory_leaves_the_guest_its_kernel_and_is_never_nothing(memory: int) -> None:
    assert 1 <= real_memory(memory) <= memory
    if memory >= 1024:
        assert memory - real_memory(memory) >= memory // 64 + 160


def test_every_line_is_a_comment_or_a_setting(make: Any) -> None:
    for line in render(make.config(), make.programs).splitlines():
        assert not line or line.startswith("#") or re.match(r"[A-Za-z]+=\S", line)
