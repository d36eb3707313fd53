"""``xio status`` and the metrics of ``xio sync`` on a real slurmctld and slurmd: what they tell of a job's node."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from tests.open_metrics import families_of
from tests.slurm.conftest import short_path
from tests.slurm.jobs import submit, wait_completed
from tests.slurm.waiting import wait_for
from xio_slurm.lab import Lab, LabOptions, Timing

XIO: Final = Path(__file__).resolve().parents[2] / "bin" / "xio"
POOL: Final = "amd-8-gb-1-cores"
TIMING: Final = Timing(resume_timeout=40, suspend_timeout=3, suspend_time=4)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab with xio sync beside it."""
    with Lab.up(LabOptions(short_path(), timing=TIMING, sync=True, boot_seconds=3)) as running:
        yield running


def pool(lab: Lab) -> dict[str, Any]:
    """What is told of the pool."""
    done = lab.run(XIO, "status", "--json", "--manifest", lab.layout.manifest)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = next(each for each in json.loads(done.stdout)["pools"] if each["pool"] == POOL)
    return found


def metrics(url: str) -> dict[str, float]:
    """The pool's samples that are served, by name and the label that isn't the pool."""
    found: dict[str, float] = {}
    with suppress(requests.RequestException):
        for family in families_of(requests.get(url, timeout=5).text):
            for sample in family.samples:
                labels = dict(sample.labels)
                if labels.pop("pool", POOL) == POOL:
                    found[" ".join((sample.name, *labels.values()))] = sample.value
    return found


def test_a_jobs_node_is_told_of_from_its_boot_to_its_end(lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    manifest = Path(lab.layout.manifest)
    document = json.loads(manifest.read_text()) | {"metrics_address": address}
    manifest.write_text(json.dumps(document))
    size = next(each["size"] for each in document["pools"] if each["name"] == POOL)
    assert pool(lab)["nodes"]["off"] == size

    job = submit(lab, "-p", f"xio-{POOL}", command="sleep 8")
    wait_for(lambda: pool(lab)["nodes"]["booting"] == 1, 20)
    wait_for(lambda: pool(lab)["oldest_booting"] is not None, 20)
    wait_for(lambda: pool(lab)["nodes"]["busy"] == 1, 60)
    during = pool(lab)
    assert (during["vms"], during["nodes"]["up"], during["gate"]) == (1, 1, "open")
    table = lab.run(XIO, "status", "--manifest", lab.layout.manifest)
    assert (table.returncode, table.stdout.split()[0]) == (0, "Pool"), table.stderr

    url = f"http://{address}/metrics"
    wait_for(lambda: metrics(url).get("xio_boot_seconds_count") == 1, 30)
    served = metrics(url)
    assert served["xio_asked_total"] == served["xio_vms"] == served["xio_sync_alive"] == 1
    assert 3 <= served["xio_boot_seconds_sum"] <= TIMING.resume_timeout

    wait_completed(lab, job)
    lab.wait_until_idle(240)
    wait_for(lambda: pool(lab)["nodes"]["off"] == size, 20)
    after = pool(lab)
    assert (after["vms"], after["mismatches"], after["boots"]["count"]) == (0, 0, 1)
    assert after["boots"]["p50"] == pytest.approx(served["xio_boot_seconds_sum"])
