"""Clusters broken one way each: the first line of ``xio doctor`` names the cause, and is gone when that is mended."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import requests
import trustme
import yaml

from tests.slurm.conftest import short_path
from tests.slurm.jobs import submit
from tests.slurm.waiting import wait_for
from xio_slurm.emulator import Emulator
from xio_slurm.lab import Lab, LabOptions, Timing
from xio_slurm.power.heartbeat import Heartbeat, write

XIO: Final = Path(__file__).resolve().parents[2] / "bin" / "xio"
SMALL: Final = r"xspot-vm-small-[12]"
WIDE: Final = "xspot-vm-wide-1"
WELL: Final = (
    "warning: SuspendTimeout=3 is short: a node that is taken again can lose its next job",
    "    mend: SuspendTimeout: 15 or more, then xio apply",
)
"""All that is wrong with the lab: it is quick."""
SECONDS: Final = 5.0
SLACK: Final = 6.0
"""So many times as long may it take on a machine that does other things too."""

POOLS: Final = [
    {"PoolName": "small", "ProfileName": "amd", "CPUs": 1, "MaxMemory": 4000, "PoolSize": 2},
    {"PoolName": "wide", "ProfileName": "amd", "CPUs": 1, "MaxMemory": 67_000_000, "PoolSize": 1},
]
CONFIGURATION: Final = {
    "PartitionName": "xio",
    "AvailabilityZone": "us-east-2b",
    "ManagementServerIp": "10.0.0.10",
    "DefaultImageName": "rhel8",
    "Profiles": [{"ProfileName": "amd", "InstanceTypes": ["c6a", "m6a"], "SpotFleetTypes": ["c6a", "m6a"]}],
    "Pools": POOLS,
}
DOCUMENTS: Final[dict[str, Any]] = {
    "profiles": [{"ProfileName": "amd", "NodeGroupName": "amd"}],
    "images": [{"ImageName": "rhel8", "ImageId": "ami-1"}],
    "environments": [
        {
            "EnvName": "lab",
            "Type": "slurm",
            "HeadAddress": "127.0.0.1",
            "Slurm": {"BinPath": "/usr/bin", "ConfPath": "/etc/slurm", "PartitionName": "xio"},
            "Pools": [
                {
                    "PoolName": pool["PoolName"],
                    "PoolSize": pool["PoolSize"],
                    "ProfileName": "amd",
                    "VM": {"CPUs": 1, "ImageName": "rhel8", "MaxMemory": pool["MaxMemory"], "VolumeSize": 10},
                }
                for pool in POOLS
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with nothing wrong: nodes of a pool that fits this machine, and of one that is larger than any."""
    folder = tmp_path_factory.mktemp("broken")
    config, scenario = folder / "xio.yaml", folder / "scenario.yaml"
    config.write_text(yaml.safe_dump({"slurm": {"ClusterName": "lab", "Xio": CONFIGURATION}}))
    scenario.write_text(yaml.safe_dump(DOCUMENTS))
    timing = Timing(resume_timeout=60, suspend_timeout=3, suspend_time=30)
    # Without config_overrides, so that slurmd's word about its memory counts.
    overrides = "SlurmdParameters=l3cache_as_socket"
    options = LabOptions(short_path(), config=config, scenario=scenario, timing=timing, slurm_conf=overrides)
    with Lab.up(options) as running:
        yield running


@pytest.fixture
def lab(healthy: Lab) -> Iterator[Lab]:
    """The lab; after the test, with what was broken mended, doctor finds nothing any more."""
    _let_sync_be_alive(healthy)
    yield healthy
    requests.delete(f"{healthy.emulator_url}/emulator/faults", timeout=10).raise_for_status()
    healthy.run("scancel", "--full", "-u", "root")
    healthy.run(XIO, "pool", "open", "--all", "--manifest", healthy.layout.manifest)
    awake = [name for name, node in healthy.nodes().items() if not node.powered_down]
    if awake:
        healthy.run("scontrol", "update", f"NodeName={','.join(awake)}", "State=POWER_DOWN_FORCE", "Reason=test")
    healthy.wait_until_idle(240)
    _let_sync_be_alive(healthy)
    assert doctor(healthy)[:2] == WELL


def _let_sync_be_alive(lab: Lab) -> None:
    write(str(lab.layout.ledger), Heartbeat(time.time(), 1, "here", 60.0))
    (lab.layout.ledger / "sync.json").chmod(0o644)  # for SlurmUser


def doctor(lab: Lab) -> tuple[str, ...]:
    """What xio doctor prints, and that it ends in time with the right code."""
    began = time.monotonic()
    ended = lab.run(XIO, "doctor", "--manifest", lab.layout.manifest)
    assert time.monotonic() - began < SLACK * SECONDS
    assert ended.stderr == ""
    assert ended.returncode == ("\nerror: " in f"\n{ended.stdout}"), ended.stdout
    return tuple(ended.stdout.splitlines())


@contextmanager
def manifest_with(lab: Lab, change: Callable[[dict[str, Any]], object]) -> Iterator[None]:
    """Another manifest for a while."""
    text = lab.layout.manifest.read_text()
    document = json.loads(text)
    change(document)
    lab.layout.manifest.write_text(json.dumps(document))
    try:
        yield
    finally:
        lab.layout.manifest.write_text(text)


@contextmanager
def wrong_address(lab: Lab) -> Iterator[None]:
    with manifest_with(lab, lambda manifest: manifest.update(ems_url="http://127.0.0.1:9")):
        yield


@contextmanager
def expired_certificate(lab: Lab) -> Iterator[None]:
    folder = lab.layout.folder / "certificates"
    folder.mkdir()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ExostellarRootCA.crt"))
    for name, days in (("ExostellarHeadNode", 365), ("ExostellarClient", -1)):
        until = datetime.now(UTC) + timedelta(days=days)
        issued = authority.issue_cert(name, not_before=until - timedelta(days=700), not_after=until)
        (folder / f"{name}.pem").write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    owner = lab.layout.ledger.stat()
    os.chown(folder / "ExostellarClient.pem", owner.st_uid, owner.st_gid)
    (folder / "ExostellarClient.pem").chmod(0o600)
    tls = {
        "ca_file": str(folder / "ExostellarRootCA.crt"),
        "client_certificate": str(folder / "ExostellarClient.pem"),
        "client_key": None,
        "server_name": "ExostellarHeadNode",
    }
    with (
        Emulator(tls=folder) as ems,
        manifest_with(lab, lambda manifest: manifest.update(ems_url=ems.url, tls=tls)),
    ):
        yield


@contextmanager
def missing(lab: Lab, kind: str, name: str) -> Iterator[None]:
    url = f"{lab.emulator_url}/v1/{kind}"
    document = requests.get(f"{url}/{name}", timeout=10).json()
    requests.delete(f"{url}/{name}", timeout=10).raise_for_status()
    try:
        yield
    finally:
        servers_own = {"Id", "Arbiter", "Manufacturer", "MeteringList", "Status"}
        kept = {key: value for key, value in document.items() if key not in servers_own}
        requests.post(url, json=kept, timeout=10).raise_for_status()


@contextmanager
def fault_and_job(lab: Lab, effect: str, pool: str = "small") -> Iterator[None]:
    if effect:
        fault = {"effect": effect, "match": {"pool": pool}}
        requests.post(f"{lab.emulator_url}/emulator/faults", json=fault, timeout=10).raise_for_status()
    with manifest_with(lab, lambda manifest: manifest["recovery"].update(boot_timeout=2.0, grace=1.0)):
        submit(lab, "-p", f"xio-{pool}")
        yield


@contextmanager
def more_memory_than_there_is(lab: Lab) -> Iterator[None]:
    with fault_and_job(lab, "", "wide"):
        yield
    lab.run("scontrol", "update", f"NodeName={WIDE}", "State=POWER_DOWN_FORCE", "Reason=mended")


@contextmanager
def include_line_lost(lab: Lab) -> Iterator[None]:
    text = lab.layout.slurm_conf.read_text()
    lab.layout.slurm_conf.write_text(re.sub(r"(?m)^Include .*\n", "", text))
    try:
        yield
    finally:
        lab.layout.slurm_conf.write_text(text)


@contextmanager
def not_executable(lab: Lab) -> Iterator[None]:
    program = lab.layout.bin / "xio-suspend"
    program.chmod(0o644)
    try:
        yield
    finally:
        program.chmod(0o755)


@contextmanager
def state_folder_full(lab: Lab) -> Iterator[None]:
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    state = lab.layout.ledger
    owner = state.stat()
    options = f"size=64k,mode=700,uid={owner.st_uid},gid={owner.st_gid}"
    subprocess.run(["/usr/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", state], check=True)
    try:
        with suppress(OSError):
            (state / "log-of-somebody").write_bytes(bytes(128 * 1024))
        yield
    finally:
        subprocess.run(["/usr/bin/umount", state], check=True)


@contextmanager
def stale_manifest(lab: Lab) -> Iterator[None]:
    with manifest_with(lab, lambda manifest: manifest["pools"].pop(0)):
        yield


Breaking = Callable[[Lab], AbstractContextManager[None]]

CLUSTERS: Final[dict[str, tuple[Breaking, str]]] = {
    "wrong EMS address": (wrong_address, r"error: the EMS at http://127\.0\.0\.1:9: can't be reached: .*refused"),
    "expired certificate": (expired_certificate, r"error: \S+/ExostellarClient\.pem: the client's .* expired on \S+"),
    "missing image": (
        lambda lab: missing(lab, "image", "rhel8"),
        r"error: the EMS has no image rhel8, which pools small, wide can't do without",
    ),
    "az1 gone": (lambda lab: missing(lab, "profile", "az1"), r"error: the EMS has no profile az1, which all others"),
    "no capacity": (
        lambda lab: fault_and_job(lab, "no-capacity"),
        r"warning: no capacity: pool small is closed until \d\d:\d\d: create the node: EMS 503: insufficient capacity",
    ),
    "VM that never boots": (
        lambda lab: fault_and_job(lab, "never-boots"),
        rf"error: {SMALL}: the VM never boots: it has no address \d+ s after it was asked for",
    ),
    "slurmd that never registers": (
        lambda lab: fault_and_job(lab, "script-fails"),
        rf"error: {SMALL}: the VM is up at 127\.77\.\d+\.\d+, and its slurmd never registered \d+ s after",
    ),
    "too much RealMemory": (
        more_memory_than_there_is,
        rf"error: pool wide: RealMemory=65659744 is too much: {WIDE} registered with \d+ MiB",
    ),
    "include line lost": (include_line_lost, r"error: \S+/slurm\.conf: no line includes the node definitions"),
    "program not executable": (not_executable, r"error: \S+/xio-suspend: isn't executable"),
    "state folder full": (state_folder_full, r"error: \S+/xio: is full \(0 KiB free.*\): no VM is made"),
    "manifest stale": (
        stale_manifest,
        r"error: \S+/manifest\.json: is stale: it doesn't know Slurm's 2 nodes xspot-vm-small-\[1-2\]",
    ),
}


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_first_line_names_the_cause(name: str, lab: Lab) -> None:
    broken, line = CLUSTERS[name]
    with broken(lab):
        lines = wait_for(lambda: found if re.match(line, (found := doctor(lab))[0]) else (), 30)
        assert lines[1].startswith("    mend: ")


def test_it_ends_in_time_where_the_ems_and_slurmctld_hang(lab: Lab) -> None:
    fault = {"effect": "latency", "seconds": 20}
    requests.post(f"{lab.emulator_url}/emulator/faults", json=fault, timeout=10).raise_for_status()
    lab.stop_slurmctld()
    try:
        lines = doctor(lab)
    finally:
        lab.start_slurmctld()
        # What still waits in the emulator is over with the faults.
        requests.delete(f"{lab.emulator_url}/emulator/faults", timeout=10).raise_for_status()
    assert lines[0].startswith("error: slurmctld doesn't answer: ")
    assert any(re.match(r"error: the EMS at .*: .*(in time|too slowly)", line) for line in lines)
    assert any(line.startswith("not checked, since ") for line in lines)
