"""Every effect of a fault, as a client sees it, and how faults are matched and counted."""

import json
import time
from typing import Any

import pytest
import requests

from tests.contract.emulator.conftest import Client
from xio_slurm.emulator import Emulator
from xio_slurm.errors import EmulatorError

CREATE = {"method": "POST", "path": "/v1/xcompute/vm"}


def test_latency_comes_before_what_is_asked_for(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.add_fault(effect="latency", seconds=30, match=CREATE)
    with pytest.raises(requests.ReadTimeout):
        client.create(timeout=0.3)
    assert ems_emulator.vms() == []


def test_latency_can_come_after_it(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.add_fault(effect="latency", seconds=30, when="after", match=CREATE)
    with pytest.raises(requests.ReadTimeout):
        client.create(timeout=0.3)
    ems_emulator.wait_until(lambda: [vm.node for vm in ems_emulator.vms()] == ["n-1"])


def test_latencies_add_up(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(latency=0.1)
    for _ in range(2):
        ems_emulator.add_fault(effect="latency", seconds=0.1, jitter=0.01)
    began = time.monotonic()
    client.vms()
    assert time.monotonic() - began >= 0.3


def test_many_slow_requests_wait_side_by_side(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(latency=30)
    for _ in range(50):
        with pytest.raises(requests.ReadTimeout):
            client.get("/v1/xcompute/vms", timeout=0.01)
    ems_emulator.wait_until(lambda: ems_emulator.peak() >= 50)
    began = time.monotonic()
    ems_emulator.__exit__(None, None, None)  # and the end doesn't wait for them
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("code", [400, 401, 403, 404, 429, 500, 502, 503, 504])
def test_a_status(ems_emulator: Emulator, client: Client, code: int) -> None:
    ems_emulator.add_fault(effect="status", status=code, error="on purpose", match=CREATE)
    answer = client.create()
    assert (answer.status_code, answer.json()) == (code, {"Error": "on purpose"})
    assert ems_emulator.vms() == []
    assert client.get("/v1/xcompute/vms").status_code == 200


def test_a_status_of_what_was_done(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.add_fault(effect="status", status=504, done=True, retry_after=7)
    answer = client.create()
    assert (answer.status_code, answer.headers["Retry-After"]) == (504, "7")
    assert [vm.node for vm in ems_emulator.vms()] == ["n-1"]


def test_a_status_of_102(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.add_fault(effect="status", status=102)
    answer = client.get("/v1/xcompute/vms")
    assert (answer.status_code, answer.content) == (102, b"")


@pytest.mark.parametrize(
    ("body", "begins"), [("json", '{"Error"'), ("text", "full"), ("html", "<html>"), ("empty", "")]
)
def test_the_bodies_of_a_status(ems_emulator: Emulator, client: Client, body: str, begins: str) -> None:
    ems_emulator.add_fault(effect="status", status=503, error="full", body=body)
    answer = client.get("/v1/xcompute/vms")
    assert answer.status_code == 503
    assert answer.text.startswith(begins)
    assert bool(answer.text) == bool(begins)


def test_a_body_of_any_text(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.add_fault(effect="status", status=200, text='{"Vms": null}')
    assert client.get("/v1/xcompute/vms").json() == {"Vms": None}


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_lost_request_is_not_done(ems_emulator: Emulator, client: Client, how: str) -> None:
    ems_emulator.add_fault(effect="lost-request", how=how, times=1)
    with pytest.raises(requests.ConnectionError):
        client.create()
    assert ems_emulator.vms() == []
    assert ems_emulator.requests()[0].status == 0
    assert client.create().status_code == 200


@pytest.mark.parametrize(("how", "told"), [("reset", "reset by peer"), ("close", "without response")])
def test_a_lost_answer_was_done(ems_emulator: Emulator, client: Client, how: str, told: str) -> None:
    ems_emulator.add_fault(effect="lost-answer", how=how, times=1)
    with pytest.raises(requests.ConnectionError, match=told):
        client.create()
    assert [vm.node for vm in ems_emulator.vms()] == ["n-1"]


def test_truncated_json_is_whole_http(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.add_fault(effect="truncated-json")
    answer = client.get("/v1/profiles")
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert answer.text.startswith('{"Profiles": [')


def test_a_truncated_body_ends_the_connection(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.add_fault(effect="truncated-body")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        client.get("/v1/profiles")


def test_a_huge_body(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.add_fault(effect="huge-body", bytes=20_000_000)
    answer = client.get("/v1/xcompute/vms")
    assert len(answer.content) > 20_000_000
    assert len(json.loads(answer.content)["Padding"]) == 20_000_000


def test_a_huge_body_that_nobody_reads_harms_nobody(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.add_fault(effect="huge-body", bytes=10**12, times=1)
    with client.session.get(f"{client.url}/v1/xcompute/vms", stream=True, timeout=60) as answer:
        assert answer.raw.read(1000).startswith(b'{"Padding')
    assert client.vms() == []


def test_a_slow_drip_arrives_whole_but_slowly(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.add_fault(effect="slow-drip", seconds=2.5)
    began = time.monotonic()
    # The read timeout of requests counts from byte to byte, so it doesn't see this.
    answer = client.get("/v1/profiles", timeout=2)
    assert time.monotonic() - began >= 2.4
    assert answer.json()["Profiles"][0]["ProfileName"] == "az1"


def test_no_capacity_at_the_post(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.add_fault(effect="no-capacity", match={"pool": "a"}, times=2)
    for node in ("n-1", "n-2"):
        answer = client.create(node)
        assert (answer.status_code, answer.json()) == (503, {"Error": "insufficient capacity"})
    assert client.create("b-1", PoolName="b").status_code == 200
    assert client.create("n-1").status_code == 200


def test_no_capacity_as_a_vm_that_never_boots(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(boot_seconds=0)
    ems_emulator.add_fault(effect="never-boots", match={"node": "n-1"})
    client.create("n-1")
    client.create("n-2")
    ems_emulator.wait_until(lambda: client.vm("n-2").json()["Vm"])
    assert client.vm("n-1").json()["Vm"] == {}
    assert client.delete("/v1/xcompute/vm/n-1").status_code == 200


def test_a_slow_boot(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.add_fault(effect="slow-boot", seconds=3600, match={"node": "n-1"})
    client.create("n-1")
    client.create("n-2")
    ems_emulator.wait_until(lambda: client.vm("n-2").json()["Vm"])
    assert client.vm("n-1").json()["Vm"] == {}


def test_a_slow_delete(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.add_fault(effect="slow-delete", seconds=0.3, match={"pool": "a"})
    client.create("n-1")
    client.create("b-1", PoolName="b")
    for node in ("n-1", "b-1"):
        assert client.delete(f"/v1/xcompute/vm/{node}").status_code == 200
    assert client.vm("b-1").status_code == 404
    ems_emulator.wait_until(lambda: client.vm("n-1").status_code == 404)


def test_a_vm_dies(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.add_fault(effect="vm-dies", seconds=0.2)
    client.create()
    ems_emulator.wait_until(lambda: not ems_emulator.vms())
    assert [event.event for event in ems_emulator.history()] == ["vm-asked", "vm-up", "vm-gone"]
    assert client.vm().status_code == 404


# Which requests, and how often


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({}, True),
        ({"method": "POST"}, True),
        ({"method": "GET"}, False),
        ({"path": "/v1/xcompute/*"}, True),
        ({"path": "/v1/xcompute/vm?detailedInfo=true"}, False),
        ({"path": "/v1/env*"}, False),
        ({"node": "n-[1-3]"}, True),
        ({"node": "m-*"}, False),
        ({"pool": "a"}, True),
        ({"pool": "b"}, False),
        ({"profile": "az?"}, True),
        ({"method": "POST", "pool": "b"}, False),
    ],
)
def test_which_requests_match(ems_emulator: Emulator, client: Client, match: dict[str, str], hit: bool) -> None:
    ems_emulator.add_fault(effect="status", status=500, match=match)
    assert (client.create().status_code == 500) == hit
    assert (ems_emulator.faults()[0].hits == 1) == hit


def test_pool_and_profile_match_by_the_vm_that_is_named(ems_emulator: Emulator, client: Client) -> None:
    client.create()
    ems_emulator.add_fault(effect="status", status=500, match={"method": "GET", "pool": "a", "profile": "az1"})
    assert client.vm().status_code == 500
    assert client.vm("other").status_code == 404
    assert client.get("/v1/xcompute/vms").status_code == 200


def test_times_and_skip_are_counted(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.add_fault(effect="status", status=500, skip=1, times=2)
    codes = [client.get("/v1/xcompute/vms").status_code for _ in range(5)]
    assert codes == [200, 500, 500, 200, 200]
    fault = ems_emulator.faults()[0]
    assert (fault.seen, fault.hits) == (5, 2)


def test_a_probability_is_repeatable_by_its_seed(ems_emulator: Emulator, client: Client) -> None:
    def codes(seed: int) -> list[int]:
        ems_emulator.remove_faults()
        ems_emulator.change(seed=seed + 1)
        ems_emulator.change(seed=seed)
        ems_emulator.add_fault(effect="status", status=500, probability=0.5)
        return [client.get("/v1/xcompute/info").status_code for _ in range(40)]

    first = codes(1)
    assert {200, 500} == set(first)
    assert codes(1) == first
    assert codes(2) != first


def test_effects_of_a_create_count_creates_alone(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.add_fault(effect="never-boots", times=1)
    client.get("/v1/xcompute/vms")
    client.create()
    client.vm()
    assert (ems_emulator.faults()[0].seen, ems_emulator.faults()[0].hits) == (1, 1)


def test_the_first_of_a_kind_wins(ems_emulator: Emulator, client: Client) -> None:
    first = ems_emulator.add_fault(effect="status", status=500)
    ems_emulator.add_fault(effect="status", status=503)
    assert client.get("/v1/xcompute/vms").status_code == 500
    ems_emulator.remove_fault(first)
    assert client.get("/v1/xcompute/vms").status_code == 503


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"effect": "explode"}, "explode"),
        ({}, "effect"),
        ({"effect": "status"}, "status"),
        ({"effect": "status", "status": 101}, "greater"),
        ({"effect": "status", "status": 150}, "final"),
        ({"effect": "status", "status": 600}, "600"),
        ({"effect": "latency", "seconds": -1}, "-1"),
        ({"effect": "latency", "seconds": "soon"}, "soon"),
        ({"effect": "latency", "seconds": float("nan")}, "seconds"),
        ({"effect": "lost-answer", "times": 0}, "times"),
        ({"effect": "lost-answer", "probability": 1.5}, "probability"),
        ({"effect": "lost-answer", "tmies": 1}, "tmies"),
        ({"effect": "lost-answer", "match": {"nod": "n-1"}}, "nod"),
        ({"effect": "lost-answer", "match": {"method": "PATCH"}}, "PATCH"),
    ],
)
def test_nonsense_is_refused_in_one_line(ems_emulator: Emulator, fault: dict[str, Any], told: str) -> None:
    with pytest.raises(EmulatorError, match=told) as caught:
        ems_emulator.add_fault(**fault)
    assert "\n" not in str(caught.value)
    assert ems_emulator.faults() == []


# Limits


def test_more_requests_than_the_limit_are_refused(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(max_rate=3, overload_status=429, retry_after=2)
    answers = [client.get("/v1/xcompute/info") for _ in range(20)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert answers[0].status_code == 200
    assert refused
    assert refused[0].headers["Retry-After"] == "2"


def test_more_requests_at_a_time_than_the_limit_are_refused(ems_emulator: Emulator, client: Client) -> None:
    ems_emulator.change(max_concurrent=1)
    ems_emulator.add_fault(effect="latency", seconds=30, match={"path": "/v1/profiles"})
    with pytest.raises(requests.ReadTimeout):
        client.get("/v1/profiles", timeout=0.2)
    ems_emulator.wait_until(lambda: ems_emulator.faults()[0].hits)
    assert client.get("/v1/xcompute/info").status_code == 503
    assert requests.get(f"{client.url}/emulator/settings", timeout=60).status_code == 200
