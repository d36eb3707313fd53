"""A report of what really happened: a job whose first start failed, and the VM that ran it in the end."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm.conftest import QUICK, short_path
from tests.slurm.jobs import submit, wait_completed
from tests.slurm.test_failed_starts import POOL, fault, let_sync_be_alive
from tests.slurm.waiting import wait_for
from xio_slurm.lab import Lab, LabOptions


@pytest.fixture(scope="module")
def cluster() -> Iterator[Lab]:
    """A lab of its own."""
    with Lab.up(LabOptions(short_path(), timing=QUICK)) as running:
        yield running


def test_a_failed_start_is_named(cluster: Lab, tmp_path: Path) -> None:
    let_sync_be_alive(cluster)
    fault(cluster, effect="status", status=400, error="no <b>such</b> image", match={"method": "POST", "pool": POOL})
    job = submit(cluster, "-p", "xio")
    wait_completed(cluster, job)
    wait_for(lambda: not cluster.vms() and "gone" in cluster.layout.events.read_text(), 60)
    command = [sys.executable, "-m", "xio_slurm.commands", "report", "--manifest", str(cluster.layout.manifest)]
    page = tmp_path / "report.html"
    subprocess.run([*command, "-o", str(page)], check=True, timeout=60, env=os.environ)
    printed = subprocess.run([*command, "--json"], check=True, timeout=60, env=os.environ, capture_output=True)
    figures = json.loads(printed.stdout)
    start = figures["failed"][-1]
    assert (start["pool"], start["job"], start["code"]) == (POOL, str(job), "rejected")
    assert "no <b>such</b> image" in start["text"]
    assert "no &lt;b&gt;such&lt;/b&gt; image" in page.read_text()
    assert figures["total"]["asked"] >= 1
    assert 0 < figures["total"]["vm_hours"] < 0.5
    assert figures["estimates"]["ends"] == 0
