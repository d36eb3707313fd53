"""Where the head node is, and whether ParallelCluster made it."""

from dataclasses import replace
from typing import Any

import pytest

from xio_slurm.plan.head import head_of
from xio_slurm.slurm.conf import SlurmConf, parse

OWN = "ClusterName=lab\nSlurmctldHost=ctl1(10.0.0.5)\n"


def address(make: Any, conf: SlurmConf) -> str:
    return head_of(make.config(), "lab", conf, None).address


def test_slurm_in_parallelclusters_folder_alone_is_not_parallelclusters(make: Any) -> None:
    assert address(make, replace(parse(OWN, "x"), path="/opt/slurm/etc/slurm.conf")) == "10.0.0.5"


@pytest.mark.parametrize("key", ["ResumeProgram", "SuspendProgram", "ResumeFailProgram"])
def test_parallelcluster_is_known_by_its_programs(make: Any, key: str) -> None:
    conf = parse(f"{OWN}{key}=/opt/parallelcluster/scripts/slurm/slurm_resume\n", "x")
    assert address(make, conf) == "head_node.lab.pcluster"


def test_parallelcluster_is_known_by_the_files_that_its_slurm_conf_includes(make: Any) -> None:
    lines = parse("MaxArraySize=2\n", "/opt/slurm/etc/slurm_parallelcluster.conf").lines
    assert address(make, replace(parse(OWN, "x"), lines=(*parse(OWN, "x").lines, *lines))) == "head_node.lab.pcluster"
