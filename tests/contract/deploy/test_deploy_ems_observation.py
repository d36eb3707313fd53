"""What is seen of an EMS before anything is planned."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from xio_slurm.deadline import Deadline
from xio_slurm.ems.documents import ENVIRONMENTS, IMAGES, PROFILES, Documents
from xio_slurm.ems.transport import Transport
from xio_slurm.ems.vms import NewVm, Vms
from xio_slurm.emulator.az1 import az1
from xio_slurm.emulator.scenario import Scenario
from xio_slurm.emulator.tool import Emulator
from xio_slurm.errors import EmsError, EmsRefused, EmsUnreachable, EmsUnreadable
from xio_slurm.plan.ems_observation import Ours, controllers_of, observe

OURS = Ours(frozenset({"az1", "amd"}), "lab", frozenset({"rhel8", "rhel8-xio-next", "rhel8-xio-previous"}))


@pytest.fixture
def transport(ems_emulator: Emulator) -> Iterator[Transport]:
    """A connection to the emulator, for at most three requests at a time."""
    transport = Transport(ems_emulator.url, connect_timeout=2, read_timeout=5, max_connections=3)
    yield transport
    transport.close()


def soon() -> Deadline:
    return Deadline.after(30)


def make_vms(transport: Transport, *nodes: str) -> None:
    for number, node in enumerate(nodes):
        vm = NewVm(node, "p", f"amd{number % 2}", "image", 1, 1000, None, 10, "", enable_wo=False)
        Vms(transport).create(vm, soon())


def test_everything_is_seen_and_nothing_is_written(ems_emulator: Emulator, transport: Transport) -> None:
    Documents(transport, PROFILES).create(az1() | {"ProfileName": "amd", "Own": {"x": 1}}, soon())
    Documents(transport, ENVIRONMENTS).create({"EnvName": "lab", "Pools": []}, soon())
    Documents(transport, IMAGES).create({"ImageName": "rhel8", "ImageId": "ami-1"}, soon())
    make_vms(transport, "xspot-vm-p-1")
    ems_emulator.forget_requests()
    observed = observe(transport, OURS, soon())
    assert {each["ProfileName"] for each in observed.profiles} == {"az1", "amd"}
    assert all("Id" in each for each in (*observed.profiles, *observed.environments, *observed.images))
    assert [each["Own"] for each in observed.profiles if each["ProfileName"] == "amd"] == [{"x": 1}]
    assert [each["EnvName"] for each in observed.environments] == ["lab"]
    assert [each["ImageId"] for each in observed.images] == ["ami-1"]
    assert observed.vms == {"xspot-vm-p-1"}
    assert observed.version == ems_emulator.settings().version
    assert {each.method for each in ems_emulator.requests()} == {"GET"}


def test_only_ours_is_asked_for_whole_with_no_more_requests_at_a_time_than_allowed(
    ems_emulator: Emulator, transport: Transport
) -> None:
    for number in range(20):
        Documents(transport, PROFILES).create(az1() | {"ProfileName": f"p{number}"}, soon())
        Documents(transport, IMAGES).create({"ImageName": f"i{number}", "ImageId": "ami-1"}, soon())
        Documents(transport, ENVIRONMENTS).create({"EnvName": f"e{number}", "Pools": []}, soon())
    Documents(transport, PROFILES).create(az1() | {"ProfileName": "amd"}, soon())
    Documents(transport, IMAGES).create({"ImageName": "rhel8-xio-next", "ImageId": "ami-1"}, soon())
    Documents(transport, ENVIRONMENTS).create({"EnvName": "Lab", "Pools": []}, soon())
    ems_emulator.change(latency=0.02)
    ems_emulator.forget_requests()
    assert len(observe(transport, OURS, soon()).profiles) == 22
    whole = {each.path for each in ems_emulator.requests() if each.path.count("/") == 3}
    assert whole == {
        "/v1/xcompute/info",
        "/v1/xcompute/vms",
        "/v1/profile/az1",
        "/v1/profile/amd",
        "/v1/env/Lab",
        "/v1/image/rhel8-xio-next",
    }
    assert 1 < ems_emulator.peak() <= 3


def test_one_odd_document_of_others_stops_nothing(ems_emulator: Emulator, transport: Transport) -> None:
    Documents(transport, IMAGES).create({"ImageName": "theirs"}, soon())
    ems_emulator.add_fault(effect="status", status=500, match={"path": "/v1/image/theirs"})
    text = '{"Environments": [{"EnvName": ""}, 7, {"EnvName": "odd", "Pools": "?"}]}'
    ems_emulator.add_fault(effect="status", status=200, text=text, match={"path": "/v1/envs"})
    observed = observe(transport, OURS, soon())
    assert [each["ImageName"] for each in observed.images] == ["theirs"]
    assert [each["EnvName"] for each in observed.environments] == ["odd"]
    assert observed.unread == ()


@pytest.mark.parametrize("status", [200, 500])
def test_an_environment_of_others_that_is_listed_without_pools_is_asked_for(
    ems_emulator: Emulator, transport: Transport, status: int
) -> None:
    ems_emulator.add_fault(
        effect="status", status=200, text='{"Environments": [{"EnvName": "x"}]}', match={"path": "/v1/envs"}
    )
    whole = {"EnvName": "x", "Pools": [{"PoolName": "p", "ProfileName": "amd"}]}
    ems_emulator.add_fault(effect="status", status=status, text=json.dumps(whole), match={"path": "/v1/env/x"})
    observed = observe(transport, OURS, soon())
    assert observed.unread == (() if status == 200 else ("x",))
    assert observed.environments == ((whole,) if status == 200 else ({"EnvName": "x"},))


@pytest.mark.parametrize("answer", [{"status": 200, "text": "{}"}, {"status": 404, "text": "none"}])
def test_an_ems_that_has_no_documents_may_say_so_in_any_way_but_its_vms_are_listed(
    ems_emulator: Emulator, transport: Transport, answer: dict[str, Any]
) -> None:
    ems_emulator.add_fault(effect="status", **answer, match={"path": "/v1/envs"})
    assert observe(transport, OURS, soon()).environments == ()
    ems_emulator.add_fault(effect="status", **answer, match={"path": "/v1/xcompute/vms"})
    with pytest.raises(EmsError):
        observe(transport, OURS, soon())


@pytest.mark.parametrize("text", ['{"Images": 7}', '{"Other": []}', '{"Images": [{"Name": "x"}]}'])
def test_a_list_in_another_form_is_an_error(ems_emulator: Emulator, transport: Transport, text: str) -> None:
    ems_emulator.add_fault(effect="status", status=200, text=text, match={"path": "/v1/images"})
    with pytest.raises(EmsUnreadable, match="holds no ImageNames"):
        observe(transport, OURS, soon())


@pytest.mark.parametrize("path", ["/v1/profiles", "/v1/envs", "/v1/images", "/v1/xcompute/vms", "/v1/profile/az1"])
def test_a_list_or_document_that_is_refused_is_an_error(
    ems_emulator: Emulator, transport: Transport, path: str
) -> None:
    ems_emulator.add_fault(effect="status", status=503, match={"path": path})
    with pytest.raises(EmsRefused, match="503"):
        observe(transport, OURS, soon())


def test_an_ems_that_tells_no_version_is_observed_all_the_same(ems_emulator: Emulator, transport: Transport) -> None:
    ems_emulator.add_fault(effect="status", status=404, match={"path": "/v1/xcompute/info"})
    assert observe(transport, OURS, soon()).version is None


def test_a_document_that_goes_meanwhile_is_seen_as_it_was_listed(ems_emulator: Emulator, transport: Transport) -> None:
    ems_emulator.add_fault(effect="status", status=404, match={"path": "/v1/profile/az1"})
    assert [each["ProfileName"] for each in observe(transport, OURS, soon()).profiles] == ["az1"]


def test_a_document_of_another_name_than_was_asked_for_is_an_error(
    ems_emulator: Emulator, transport: Transport
) -> None:
    other = '{"ProfileName": "other"}'
    ems_emulator.add_fault(effect="status", status=200, text=other, match={"path": "/v1/profile/az1"})
    with pytest.raises(EmsUnreadable, match="az1: the EMS answered with another one"):
        observe(transport, OURS, soon())


def test_a_document_of_endless_depth_is_an_error_of_one_line() -> None:
    deep: object = 1
    for _ in range(200):
        deep = {"x": [deep]}
    scenario = Scenario.model_validate(
        {"images": [{"ImageName": "rhel8", "x": deep}, {"ImageName": "theirs", "x": deep}]}
    )
    with Emulator(scenario=scenario) as emulator:
        transport = Transport(emulator.url, connect_timeout=2, read_timeout=5, max_connections=8)
        with pytest.raises(EmsUnreadable, match="image rhel8"):
            observe(transport, OURS, soon())
        transport.close()


def test_an_ems_that_is_not_there_is_one_error_and_soon() -> None:
    transport = Transport("http://127.0.0.1:9", connect_timeout=1, read_timeout=1, max_connections=8)
    with pytest.raises(EmsUnreachable):
        observe(transport, OURS, soon())
    transport.close()


def test_the_controllers_of_vms_are_named_by_ten_of_them_at_most(ems_emulator: Emulator, transport: Transport) -> None:
    nodes = [f"xspot-vm-p-{number}" for number in range(1, 15)]
    make_vms(transport, *nodes)
    ems_emulator.wait_until(lambda: all(vm.address is not None for vm in ems_emulator.vms()))
    ems_emulator.forget_requests()
    controllers = controllers_of(transport, [*nodes, "xspot-vm-none-1"], soon())
    assert len(controllers) == 2
    assert len(ems_emulator.requests()) == 10


def test_a_vm_that_cannot_be_looked_up_has_no_controller(ems_emulator: Emulator, transport: Transport) -> None:
    ems_emulator.add_fault(effect="status", status=500, match={"path": "/v1/xcompute/vm/xspot-vm-p-1"})
    assert controllers_of(transport, ["xspot-vm-p-1", "xspot-vm-p-2"], soon()) == ()
    assert controllers_of(transport, [], soon()) == ()
