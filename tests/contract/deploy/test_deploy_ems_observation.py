"""What is seen of an EMS before anything is planned."""

from collections.abc import Iterator

import pytest

from xio_slurm.deadline import Deadline
from xio_slurm.ems.documents import ENVIRONMENTS, IMAGES, PROFILES, Documents
from xio_slurm.ems.transport import Transport
from xio_slurm.ems.vms import NewVm, Vms
from xio_slurm.emulator.az1 import az1
from xio_slurm.emulator.scenario import Scenario
from xio_slurm.emulator.tool import Emulator
from xio_slurm.errors import EmsRefused, EmsUnreachable, EmsUnreadable
from xio_slurm.plan.ems_observation import controllers_of, observe


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
    observed = observe(transport, soon())
    assert {each["ProfileName"] for each in observed.profiles} == {"az1", "amd"}
    assert all("Id" in each for each in (*observed.profiles, *observed.environments, *observed.images))
    assert [each["Own"] for each in observed.profiles if each["ProfileName"] == "amd"] == [{"x": 1}]
    assert [each["EnvName"] for each in observed.environments] == ["lab"]
    assert [each["ImageId"] for each in observed.images] == ["ami-1"]
    assert observed.vms == {"xspot-vm-p-1"}
    assert observed.version == ems_emulator.settings().version
    assert {each.method for each in ems_emulator.requests()} == {"GET"}


def test_each_document_is_asked_for_whole_with_no_more_requests_at_a_time_than_allowed(
    ems_emulator: Emulator, transport: Transport
) -> None:
    for number in range(20):
        Documents(transport, PROFILES).create(az1() | {"ProfileName": f"p{number}"}, soon())
    ems_emulator.change(latency=0.02)
    ems_emulator.forget_requests()
    assert len(observe(transport, soon()).profiles) == 21
    assert len(ems_emulator.requests("GET", "/v1/profile/")) == 21
    assert 1 < ems_emulator.peak() <= 3


@pytest.mark.parametrize("path", ["/v1/profiles", "/v1/envs", "/v1/images", "/v1/xcompute/vms", "/v1/profile/az1"])
def test_a_list_or_document_that_is_refused_is_an_error(
    ems_emulator: Emulator, transport: Transport, path: str
) -> None:
    ems_emulator.add_fault(effect="status", status=503, match={"path": path})
    with pytest.raises(EmsRefused, match="503"):
        observe(transport, soon())


def test_an_ems_that_tells_no_version_is_observed_all_the_same(ems_emulator: Emulator, transport: Transport) -> None:
    ems_emulator.add_fault(effect="status", status=404, match={"path": "/v1/xcompute/info"})
    assert observe(transport, soon()).version is None


def test_a_document_that_goes_meanwhile_is_seen_as_it_was_listed(ems_emulator: Emulator, transport: Transport) -> None:
    ems_emulator.add_fault(effect="status", status=404, match={"path": "/v1/profile/az1"})
    assert [each["ProfileName"] for each in observe(transport, soon()).profiles] == ["az1"]


def test_a_document_of_another_name_than_was_asked_for_is_an_error(
    ems_emulator: Emulator, transport: Transport
) -> None:
    other = '{"ProfileName": "other"}'
    ems_emulator.add_fault(effect="status", status=200, text=other, match={"path": "/v1/profile/az1"})
    with pytest.raises(EmsUnreadable, match="az1: the EMS answered with another one"):
        observe(transport, soon())


def test_a_document_of_endless_depth_is_an_error_of_one_line() -> None:
    deep: object = 1
    for _ in range(200):
        deep = {"x": [deep]}
    scenario = Scenario.model_validate({"images": [{"ImageName": "deep", "x": deep}]})
    with Emulator(scenario=scenario) as emulator:
        transport = Transport(emulator.url, connect_timeout=2, read_timeout=5, max_connections=8)
        with pytest.raises(EmsUnreadable, match="image deep"):
            observe(transport, soon())
        transport.close()


def test_an_ems_that_is_not_there_is_one_error_and_soon() -> None:
    transport = Transport("http://127.0.0.1:9", connect_timeout=1, read_timeout=1, max_connections=8)
    with pytest.raises(EmsUnreachable):
        observe(transport, soon())
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
