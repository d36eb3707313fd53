"""Changes, done, nothing: for a file of every generation, beside another cluster on the same EMS."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.apply.conftest import DATA, SMALL, Cluster
from tests.contract.ems.conftest import Certificates
from xio_slurm.plan.steps import Status

FILES = sorted(path.name for path in DATA.glob("*.yaml"))


def of_file(name: str) -> dict[str, Any]:
    """A user's file, with an image that is made from an AMI, if it has none, and a name for the cluster."""
    document: dict[str, Any] = yaml.safe_load((DATA / name).read_text())
    (section,) = (document["slurm"][key] for key in ("Xio", "Xwo") if key in document["slurm"])
    section.setdefault(
        "Images", [{"ImageName": name, "ImageId": f"ami-{n}"} for n, name in enumerate(("rhel8-x86", "rhel8-large"))]
    )
    return document


@pytest.mark.parametrize("name", FILES)
def test_plan_says_changes_apply_makes_them_and_then_there_is_nothing_to_do(
    make_cluster: Callable[..., Cluster], name: str
) -> None:
    cluster = make_cluster(of_file(name))
    theirs = cluster.theirs()
    assert cluster.plan().changes
    assert cluster.writes() == []
    assert not cluster.out.exists()

    applied = cluster.run("apply", "--yes")
    assert applied.code == 0, applied.err
    assert cluster.conf.read_text().count("include ") == 1
    state = cluster.state()

    planned = cluster.run("plan", "--detailed-exitcode")
    assert planned.code == 0, planned.err
    assert "Nothing to do: everything is as the configuration says." in planned.out
    cluster.ems.forget_requests()
    assert {each.status for each in cluster.apply()} == {Status.UNCHANGED}
    assert cluster.writes() == []
    assert cluster.state() == state
    assert cluster.theirs() == theirs


def test_the_workload_optimizer_over_tls(make_cluster: Callable[..., Cluster], tmp_path: Path) -> None:
    document, folder = of_file("newest.yaml"), tmp_path / "tls"
    cluster = make_cluster(document, tls=folder)
    certificates = {"EmsCaFile": "ExostellarRootCA.crt", "EmsClientCertificate": "ExostellarClient.pem"}
    cluster.configure(document, **{key: str(folder / name) for key, name in certificates.items()})
    assert cluster.run("plan", "--detailed-exitcode").code == 2
    assert cluster.is_applied()
    assert not cluster.plan().changes
    cluster.ems.forget_requests()
    assert cluster.is_applied()
    assert cluster.writes() == []


def test_a_certificate_that_expires_soon_is_a_warning_of_the_plan(
    make_cluster: Callable[..., Cluster], tmp_path: Path
) -> None:
    made = Certificates.make(tmp_path / "tls", client_days=5)
    cluster = make_cluster(of_file("newest.yaml"), tls=made.folder)
    files = {"EmsCaFile": made.tls.ca_file, "EmsClientCertificate": made.tls.client_certificate}
    cluster.configure(of_file("newest.yaml"), **files)
    assert "ExostellarClient.pem: the client's certificate expires in " in cluster.run("plan").err


def test_the_environment_says_what_the_configuration_and_slurm_conf_say(cluster: Cluster) -> None:
    assert cluster.is_applied()
    (environment,) = (each for each in cluster.documents()["envs"] if each["EnvName"] == "lab")
    assert environment["HeadAddress"] == "127.0.0.1"
    assert environment["Slurm"] == {"BinPath": "/usr/bin", "ConfPath": str(cluster.folder), "PartitionName": "xio"}
    assert [pool["PoolName"] for pool in environment["Pools"]] == ["a"]


def test_a_change_is_shown_field_by_field_and_made_in_place(cluster: Cluster) -> None:
    assert cluster.is_applied()
    before = {each["ProfileName"]: each["Id"] for each in cluster.documents()["profiles"]}
    document = json.loads(json.dumps(SMALL))
    document["slurm"]["Xio"]["Profiles"][0]["MaxControllers"] = 4
    document["slurm"]["Xio"]["Pools"][0]["PoolSize"] = 5
    cluster.configure(document)
    planned = cluster.run("plan")
    assert planned.code == 0
    assert "  ~ profile amd\n      ~ MaxControllers: 10 → 4\n" in planned.out
    assert "  ~ environment lab\n      ~ Pools[a].PoolSize: 3 → 5\n" in planned.out
    assert "+ 2 nodes in pool a (xspot-vm-a-[4-5])" in planned.out
    assert "= unchanged: image rhel8, " in " ".join(planned.out.split())
    cluster.ems.forget_requests()
    assert cluster.is_applied()
    assert cluster.writes() == ["PUT /v1/profile", "PUT /v1/env"]
    assert {each["ProfileName"]: each["Id"] for each in cluster.documents()["profiles"]} == before


def test_lines_of_the_plan_have_at_most_eighty_columns(make_cluster: Callable[..., Cluster]) -> None:
    cluster = make_cluster(of_file("oldest.yaml"))
    paths = (str(cluster.folder), str(cluster.config))
    lines = cluster.run("plan").out.splitlines()
    assert [line for line in lines if len(line) > 80 and not any(path in line for path in paths)] == []


def test_json_is_one_document_with_everything(cluster: Cluster) -> None:
    planned = cluster.run("plan", "--json").document
    assert (planned["cluster"], planned["complete"], planned["changes"]) == ("lab", True, True)
    assert [(each["kind"], each["action"]) for each in planned["documents"]] == [
        ("image", "create"),
        ("profile", "create"),
        ("environment", "create"),
    ]
    assert planned["files"]["action"] == "create"
    assert planned["include"] == {
        "slurm_conf": str(cluster.conf),
        "state": "missing",
        "action": "add",
        "line": f"include {cluster.out}/xio.nodes.conf",
    }
    applied = cluster.run("apply", "--json", "--yes").document
    assert applied["outcome"] == "applied"
    assert [(each["kind"], each["status"]) for each in applied["steps"]] == [
        (kind, "done") for kind in ("image", "profile", "environment", "files", "include line")
    ]
    assert (applied["errors"], bool(applied["advice"])) == ([], True)
    again = cluster.run("apply", "--json", "--yes").document
    assert (again["outcome"], again["steps"], again["advice"]) == ("unchanged", [], [])


def test_an_image_of_another_ami_is_made_anew(cluster: Cluster) -> None:
    assert cluster.is_applied()
    document = json.loads(json.dumps(SMALL))
    document["slurm"]["Xio"]["Images"][0]["ImageId"] = "ami-2"
    cluster.configure(document)
    assert "± image rhel8" in cluster.run("plan").out
    assert cluster.is_applied()
    images = {each["ImageName"]: each["ImageId"] for each in cluster.documents()["images"]}
    assert images == {"rhel8": "ami-2", "theirs": "ami-9"}


def test_a_pool_that_is_gone_from_the_file_goes_with_prune_alone(cluster: Cluster) -> None:
    document = json.loads(json.dumps(SMALL))
    document["slurm"]["Xio"]["Pools"].append({**SMALL["slurm"]["Xio"]["Pools"][0], "PoolName": "b"})  # type: ignore[index]  # plain YAML
    cluster.configure(document)
    assert cluster.is_applied()
    cluster.configure(SMALL)
    assert cluster.is_applied()
    assert not cluster.plan().changes
    assert cluster.run("plan", "--detailed-exitcode", "--prune").code == 2
    assert cluster.run("apply", "--yes", "--prune").code == 0
    (environment,) = (each for each in cluster.documents()["envs"] if each["EnvName"] == "lab")
    assert [pool["PoolName"] for pool in environment["Pools"]] == ["a"]
