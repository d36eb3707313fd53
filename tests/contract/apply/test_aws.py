"""What AWS is asked for a plan: whether the AMIs of new images will do, and where the EMS is. AWS is moto's server."""

import json

from tests.contract.apply.conftest import SMALL, Cluster
from tests.unit.aws.conftest import REGION, credentials, moto_aws, moto_server
from xio_slurm.aws.session import client
from xio_slurm.aws.stack import OUTPUT
from xio_slurm.manifest import Manifest

__all__ = ["credentials", "moto_aws", "moto_server"]

MISSING = "ami-0123456789abcdef0"
STACK = "exostellar-management-server"


def ami_of(architecture: str) -> str:
    """One of Amazon's AMIs, as moto has them: with a volume of 15 GB."""
    with client("ec2", REGION) as ec2:
        found = ec2.describe_images(Filters=[{"Name": "architecture", "Values": [architecture]}])["Images"]
    return found[0]["ImageId"]


def configure(cluster: Cluster, ami: str) -> None:
    document = json.loads(json.dumps(SMALL))
    document["slurm"]["Xio"]["Images"][0]["ImageId"] = ami
    cluster.configure(document)


def make_stack(address: str) -> None:
    """The stack of an EMS, as CloudFormation tells it."""
    group = {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "EMS"}}
    template = {"Resources": {"Group": group}, "Outputs": {OUTPUT: {"Value": address}}}
    with client("cloudformation", REGION) as cloudformation:
        cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(template))


def test_an_ami_that_will_not_do_is_refused_before_anything_is_made(cluster: Cluster, moto_aws: str) -> None:
    arm = ami_of("arm64")
    for ami, why in (
        (MISSING, f"{MISSING}: there is none in {REGION} that this AWS account may use: see to its id and region"),
        (arm, f"{arm} is for arm64: XIO runs x86_64 alone"),
    ):
        configure(cluster, ami)
        run = cluster.run("apply", "--yes", checks_amis=True)
        assert run.code == 1
        assert f"xio: image rhel8: {why}" in run.err.splitlines()
        assert f"image rhel8: {why}" in cluster.run("plan", "--json", checks_amis=True).document["refusals"]
    assert cluster.writes() == []
    assert not cluster.out.exists()


def test_an_ami_is_looked_at_where_it_is_to_become_an_image_and_not_again(cluster: Cluster, moto_aws: str) -> None:
    ami = ami_of("x86_64")
    configure(cluster, ami)
    run = cluster.run("apply", "--yes", checks_amis=True)
    assert run.code == 0, run.err
    assert f"warning: pool a: VolumeSize is 10 GB, and {ami} has a volume of 15 GB: raise it" in run.err.splitlines()
    assert {each["ImageName"]: each["ImageId"] for each in cluster.documents()["images"]}["rhel8"] == ami
    run = cluster.run("plan", checks_amis=True)
    assert (run.code, "VolumeSize" in run.err) == (0, False)
    configure(cluster, MISSING)
    assert cluster.run("apply", "--yes", checks_amis=True).code == 1
    assert {each["ImageName"]: each["ImageId"] for each in cluster.documents()["images"]}["rhel8"] == ami


def test_the_address_that_the_stack_tells_is_used_and_kept_in_the_manifest(cluster: Cluster, moto_aws: str) -> None:
    make_stack("10.1.2.3")
    document = json.loads(json.dumps(SMALL))
    document["slurm"]["Xio"]["ManagementServerStackName"] = STACK
    # The emulator stands in its own place as the proxy on the way to 10.1.2.3.
    cluster.configure(document, EmsUrl=None, EmsProxy=cluster.ems.url)
    run = cluster.run("plan")
    assert run.code == 0, run.err
    assert "Cluster lab, EMS http://10.1.2.3:5000\n" in run.out
    run = cluster.run("apply", "--yes")
    assert run.code == 0, run.err
    manifest = Manifest.read(str(cluster.out / "manifest.json"))
    assert (manifest.ems_url, manifest.management_server_stack) == ("http://10.1.2.3:5000", STACK)
    assert cluster.run("plan", "--detailed-exitcode").code == 0

    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    run = cluster.run("plan", "--detailed-exitcode", environment=nowhere)
    assert run.code == 0, run.err
    assert "the address of an earlier look-up is used: http://10.1.2.3:5000" in run.err
