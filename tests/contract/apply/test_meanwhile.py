"""What others do between the plan and its writing: only what was planned is changed, and nothing is overwritten."""

import json
from typing import Any

import pytest
import requests

from tests.contract.apply.conftest import SMALL, Cluster
from xio_slurm.config import load
from xio_slurm.deploy.generation import prepare
from xio_slurm.deploy.publish import publish
from xio_slurm.errors import DeployError
from xio_slurm.plan.change import Verb
from xio_slurm.plan.steps import Status


def with_pool_b(**changes: Any) -> dict[str, Any]:
    """The small configuration with another pool, and other values of its profile."""
    document: dict[str, Any] = json.loads(json.dumps(SMALL))
    section = document["slurm"]["Xio"]
    section["Profiles"][0].update(changes)
    section["Pools"].append({**section["Pools"][0], "PoolName": "b"})
    return document


def get(cluster: Cluster, path: str) -> dict[str, Any]:
    document: dict[str, Any] = requests.get(f"{cluster.ems.url}/v1/{path}", timeout=10).json()
    return document


def change(cluster: Cluster, path: str, **changes: Any) -> None:
    """What somebody else does to a document."""
    kind = path.partition("/")[0]
    sent = get(cluster, path) | changes
    requests.put(f"{cluster.ems.url}/v1/{kind}", json=sent, timeout=10).raise_for_status()


def test_a_pool_that_got_a_vm_since_the_plan_is_not_pruned(cluster: Cluster) -> None:
    cluster.configure(with_pool_b())
    assert cluster.is_applied()
    cluster.configure(SMALL)
    plan = cluster.plan(prune=True)
    vm = {"CPUs": 1, "ImageName": "rhel8", "MaxMemory": 1000, "VolumeSize": 10, "UserData": ""}
    asked = {"NodeName": "xspot-vm-b-1", "PoolName": "b", "ProfileName": "amd", "VM": vm}
    requests.post(f"{cluster.ems.url}/v1/xcompute/vm", json=asked, timeout=10).raise_for_status()
    cluster.ems.wait_until(cluster.ems.vms)
    cluster.ems.forget_requests()
    (error,) = (each.error for each in cluster.apply(plan) if each.status is Status.FAILED)
    assert error is not None
    assert "VMs of pool b, which is to go, may run by now (xspot-vm-b-1): let them end" in error
    assert cluster.writes() == []
    assert {pool["PoolName"] for pool in get(cluster, "env/lab")["Pools"]} == {"a", "b"}


def test_what_others_change_beside_the_planned_fields_is_kept(cluster: Cluster) -> None:
    assert cluster.is_applied()
    cluster.configure(with_pool_b(MaxControllers=4))
    plan = cluster.plan()
    change(cluster, "profile/amd", RunningControllers=7)
    change(cluster, "env/lab", Theirs={"x": 1})
    assert {each.status for each in cluster.apply(plan)} <= {Status.DONE, Status.UNCHANGED}
    profile, environment = get(cluster, "profile/amd"), get(cluster, "env/lab")
    assert (profile["RunningControllers"], profile["MaxControllers"]) == (7, 4)
    assert environment["Theirs"] == {"x": 1}
    assert [pool["PoolName"] for pool in environment["Pools"]] == ["a", "b"]


@pytest.mark.parametrize("changes", [{"MaxControllers": 99}, {"NodeGroupName": "theirs"}])
def test_where_the_edit_would_be_another_nothing_is_written(cluster: Cluster, changes: dict[str, Any]) -> None:
    assert cluster.is_applied()
    cluster.configure(with_pool_b(MaxControllers=4))
    plan = cluster.plan()
    change(cluster, "profile/amd", **changes)
    (error,) = (each.error for each in cluster.apply(plan) if each.status is Status.FAILED)
    assert error == "profile amd: was changed by somebody else since the plan was made: plan again"
    assert get(cluster, "profile/amd").items() >= changes.items()


def test_files_that_somebody_else_wrote_since_the_plan_stop_it_before_the_ems_is_written(cluster: Cluster) -> None:
    assert cluster.is_applied()
    cluster.configure(with_pool_b())
    theirs = load(cluster.config).config
    cluster.configure(with_pool_b(MaxControllers=4))
    plan = cluster.plan()
    publish(cluster.out, prepare(theirs, cluster.out, None).compiled)
    before = (cluster.out / "manifest.json").read_bytes()
    cluster.ems.forget_requests()
    cluster.conf.write_text(f"{cluster.conf.read_text()}# more\n")
    with pytest.raises(DeployError, match="somebody has changed the files there since the plan was made: plan again"):
        cluster.apply(plan)
    assert cluster.writes() == []
    assert (cluster.out / "manifest.json").read_bytes() == before


def test_a_lost_answer_and_something_else_there_is_not_said_to_be_undone(cluster: Cluster) -> None:
    assert cluster.is_applied()
    cluster.configure(with_pool_b(MaxControllers=4))
    plan = cluster.plan()
    cluster.ems.add_fault(effect="lost-request", match={"method": "PUT", "path": "/v1/profile"}, times=1)
    whole = get(cluster, "profile/amd")
    cluster.ems.add_fault(
        effect="status",
        status=200,
        text=json.dumps({**whole, "MaxControllers": 99}),
        match={"method": "GET", "path": "/v1/profile/amd"},
        skip=1,
    )
    (error,) = (each.error for each in cluster.apply(plan) if each.status is Status.FAILED)
    assert error is not None
    assert error.endswith("it isn't known whether it was done: plan again")


def test_a_field_that_the_ems_keeps_otherwise_is_told(cluster: Cluster) -> None:
    assert cluster.is_applied()
    cluster.configure(with_pool_b(MaxControllers=4))
    plan = cluster.plan()
    kept = json.dumps({**get(cluster, "profile/amd"), "MaxControllers": "4"})
    cluster.ems.add_fault(
        effect="status", status=200, text=kept, match={"method": "GET", "path": "/v1/profile/amd"}, skip=1
    )
    (notes,) = (each.notes for each in cluster.apply(plan) if each.step.kind == "profile")
    assert notes == ('the EMS keeps profile amd\'s MaxControllers as "4": every plan will show it',)


def test_a_replacement_that_may_be_another_clusters_is_left_alone(cluster: Cluster) -> None:
    assert cluster.is_applied()
    left = {"ImageName": "rhel8-xio-next", "ImageId": "ami-2"}
    requests.post(f"{cluster.ems.url}/v1/image", json=left, timeout=10).raise_for_status()
    assert [each.verb for each in cluster.plan().ems_changes if each.kind == "image"] == [Verb.UPDATE]
    vm = {"CPUs": 1, "ImageName": "rhel8", "MaxMemory": 1000}
    pool = {"PoolName": "q", "PoolSize": 1, "ProfileName": "theirs", "VM": vm}
    change(cluster, "env/their-cluster", Pools=[*get(cluster, "env/their-cluster")["Pools"], pool])
    (image,) = (each for each in cluster.plan().ems_changes if each.kind == "image")
    assert image.verb is Verb.UNCHANGED
    assert "rhel8-xio-next stays" in image.notes[0]
