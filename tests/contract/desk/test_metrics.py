"""``xio metrics`` and what ``xio sync`` serves: files, a socket, and readers that aren't ours."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil
import pytest
import requests
from msgspec import structs

from tests.contract.desk.test_status import call
from tests.contract.slurm_user import SLURM_USER, moved_to_slurm_user
from tests.contract.sync.conftest import BOOTING, NODE, OFF, POOL, HeadNode
from tests.open_metrics import families_of
from xio_slurm.manifest import Pool

PROMTOOL: Final = "/usr/bin/promtool"


@pytest.fixture(autouse=True)
def _small(head: HeadNode) -> None:
    head.change(pools=(Pool(POOL, "amd", "image", 2, 1, 7200, None, 10),))


def checked(text: str) -> dict[str, float]:
    """The samples, by name and labels, once promtool and a reader of OpenMetrics have accepted the text."""
    done = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return samples(text)


def samples(text: str) -> dict[str, float]:
    found = {}
    for family in families_of(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items() if name != "pool")
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def happen(head: HeadNode, event: str, **details: object) -> None:
    line = {"time": time.time(), "event": event, "program": "xio-resume", "run": f"r-{time.time()}", "pool": POOL}
    with (Path(head.manifest.log_dir) / "events.jsonl").open("a") as file:
        file.write(json.dumps(line | details) + "\n")


def test_promtool_accepts_what_is_printed(head: HeadNode) -> None:
    head.slurm.say(BOOTING, NODE)
    head.note("ours", NODE, age=100)
    head.make_vm(NODE)
    happen(head, "asked")
    happen(head, "refused", code="capacity")
    happen(head, "registered", seconds=33)
    done = call(head, command="metrics")
    assert (done.returncode, done.stderr) == (0, "")
    found = checked(done.stdout)
    assert found["xio_nodes{state=booting}"] == found["xio_vms"] == 1
    assert found["xio_asked_total"] == found["xio_refused_total{code=capacity}"] == 1
    assert found["xio_boot_seconds_bucket{le=45.0}"] == 1
    assert found["xio_ems_up"] == found["xio_slurm_up"] == 1
    assert head.slurm.calls() == ["show node -o --all"]


def test_totals_outlive_the_events(head: HeadNode) -> None:
    happen(head, "asked")
    happen(head, "asked")
    call(head, command="metrics")
    (Path(head.manifest.log_dir) / "events.jsonl").unlink()
    happen(head, "asked")
    assert checked(call(head, command="metrics").stdout)["xio_asked_total"] == 3


def test_without_slurm_and_ems_the_rest_is_told(head: HeadNode) -> None:
    head.slurm.fail()
    head.change(ems_url="http://127.0.0.1:9")
    happen(head, "asked")
    done = call(head, command="metrics")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2
    found = checked(done.stdout)
    assert found["xio_ems_up"] == found["xio_slurm_up"] == 0
    assert found["xio_asked_total"] == 1
    assert "xio_vms" not in found


def test_a_file_is_replaced_as_a_whole_and_readable_for_all(head: HeadNode) -> None:
    folder = head.folder / "textfile"
    folder.mkdir()
    path = folder / "xio.prom"
    path.write_text("old")
    path.chmod(0o600)
    before = path.stat().st_ino
    done = call(head, "--output", str(path), command="metrics")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.stat().st_ino != before
    assert [each.name for each in folder.iterdir()] == ["xio.prom"]
    assert checked(path.read_text())["xio_ems_up"] == 1


def test_a_file_stays_where_nothing_could_be_looked_at(head: HeadNode) -> None:
    path = head.folder / "xio.prom"
    path.write_text("old")
    head.path.write_text("{}")
    done = call(head, "--output", str(path), command="metrics")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert path.read_text() == "old"


def test_a_folder_that_is_not_there_is_one_line(head: HeadNode) -> None:
    path = head.folder / "none" / "xio.prom"
    done = call(head, "--output", str(path), command="metrics")
    assert (done.returncode, done.stderr) == (1, f"xio: {path}: can't be written: No such file or directory\n")


def test_root_writes_the_file_where_slurm_user_cannot(head: HeadNode) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become SlurmUser")
    nodes = head.folder / "nodes"
    with moved_to_slurm_user(head):
        (head.folder / "bin").mkdir(mode=0o755)
        scontrol = head.folder / "bin" / "scontrol"
        scontrol.write_text(f"#!/bin/sh\ncat <<'END'\n{nodes.read_text()}END\n")
        scontrol.chmod(0o755)
        head.change(slurm_bin_dir=str(head.folder / "bin"))
        happen(head, "asked")
        (head.folder / "log" / "events.jsonl").chmod(0o644)
        closed = head.folder / "textfile"
        closed.mkdir(mode=0o755)
        done = call(head, "--output", str(closed / "xio.prom"), command="metrics")
        assert (done.returncode, done.stderr) == (0, "")
        assert (closed / "xio.prom").stat().st_uid == 0
        assert checked((closed / "xio.prom").read_text())["xio_asked_total"] == 1
        assert {path.owner() for path in (head.folder / "state").iterdir()} == {SLURM_USER}


# What xio sync serves.


@pytest.fixture
def served(head: HeadNode) -> Iterator[str]:
    """The URL where an ``xio sync`` serves metrics."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    head.change(metrics_address=f"127.0.0.1:{port}")
    service = head.start()
    url = f"http://127.0.0.1:{port}/metrics"
    try:
        wait_for(url)
        yield url
    finally:
        service.terminate()
        _, said = service.communicate(timeout=30)
        assert service.returncode == 0
        assert "Traceback" not in said
        assert "bug" not in said


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def wait_for(url: str, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(requests.RequestException):
            if requests.get(url, timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"{url} isn't served")


def test_sync_serves_what_it_sees(head: HeadNode, served: str) -> None:
    head.slurm.say(OFF, NODE)
    happen(head, "asked")
    end = time.monotonic() + 10
    while samples(requests.get(served, timeout=5).text)["xio_asked_total"] != 1 and time.monotonic() < end:
        time.sleep(0.1)
    answer = requests.get(served, timeout=5)
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = checked(answer.text)
    assert found["xio_asked_total"] == found["xio_sync_alive"] == 1
    assert found["xio_nodes{state=off}"] == 2


def test_who_asks_for_open_metrics_gets_typed_counters(served: str) -> None:
    accept = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,*/*;q=0.1"
    answer = requests.get(served, headers={"Accept": accept}, timeout=5)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    kinds = {family.name: family.type for family in families_of(answer.text)}
    assert (kinds["xio_asked"], kinds["xio_boot_seconds"], kinds["xio_nodes"]) == ("counter", "histogram", "gauge")


def test_a_request_has_nothing_looked_at(head: HeadNode, served: str) -> None:
    before = head.slurm.calls()
    began = time.monotonic()
    for _ in range(200):
        assert requests.get(served, timeout=5).status_code == 200
    passes = len(head.slurm.calls()) - len(before)
    assert passes <= (time.monotonic() - began) / head.manifest.recovery.sync_interval + 2


def test_bad_clients_hurt_neither_the_passes_nor_others(head: HeadNode, served: str) -> None:
    port = port_of(served)
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
    for number, connection in enumerate(silent):
        with suppress(OSError):
            connection.sendall((b"GET /metrics HTTP/1.1\r\nX: ", b"\0\xff" * 500, b"")[number % 3])
    before = len(head.slurm.calls())
    time.sleep(2)
    assert len(head.slurm.calls()) - before >= 3
    wait_for(served, seconds=10)  # those are cut off after 5 s
    for connection in silent:
        connection.close()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"200"),
        (b"HEAD /metrics?x=1 HTTP/1.0\r\n\r\n", b"200"),
        (b"GET /../etc/passwd HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", b"405"),
        (b"\xff\xfe\r\n\r\n", b"405"),
    ],
)
def test_nothing_else_is_served(served: str, request_: bytes, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port_of(served)), timeout=10) as connection:
        connection.sendall(request_)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    assert answer.split()[1] == status
    assert (b"xio_nodes" in answer) == (request_ == b"GET / HTTP/1.1\r\n\r\n")


def test_an_address_that_is_taken_is_told_once_and_tried_again(head: HeadNode) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    head.change(metrics_address=f"127.0.0.1:{port}")
    service = head.start()
    end = time.monotonic() + 20
    while len(head.slurm.calls()) < 4 and time.monotonic() < end:
        time.sleep(0.1)
    taken.close()
    wait_for(f"http://127.0.0.1:{port}/metrics")
    service.terminate()
    _, said = service.communicate(timeout=30)
    assert said.count(f"MetricsAddress 127.0.0.1:{port}: can't listen: Address already in use") == 1
    assert "metrics are served" in said


def test_without_an_address_nothing_is_served_and_events_are_counted(head: HeadNode) -> None:
    happen(head, "asked")
    service = head.start()
    kept = Path(head.manifest.state_dir) / "metrics.json"
    end = time.monotonic() + 20
    while not kept.exists() and time.monotonic() < end:
        time.sleep(0.1)
    listening = [each.pid for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    service.terminate()
    service.communicate(timeout=30)
    assert ["asked", POOL, "", 1] in json.loads(kept.read_text())["counts"]
    assert service.pid not in listening


def test_a_new_manifest_moves_it(head: HeadNode, served: str) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as free:
        port = free.getsockname()[1]
    head.path.write_text(structs.replace(head.manifest, metrics_address=f"[::1]:{port}").to_json())
    wait_for(f"http://[::1]:{port}/metrics")
    with pytest.raises(requests.RequestException):
        requests.get(served, timeout=5)
