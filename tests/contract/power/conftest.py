"""The programs, each in a process of its own, as slurmctld starts it."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from msgspec import structs

from tests.manifests import manifest_with
from xio_slurm.emulator.tool import Emulator
from xio_slurm.ledger import Entry, Ledger
from xio_slurm.manifest import Manifest, Pool, Recovery

BIN = Path(__file__).resolve().parents[3] / "bin"
POOL = "amd-8-gb-1-cores"
NODE = f"xspot-vm-{POOL}-1"


def create_elsewhere(emulator: Emulator, pool: str = "theirs") -> None:
    """A VM of our node's name that these programs didn't ask for."""
    vm = {"CPUs": 1, "ImageName": "x", "MaxMemory": 1000, "VolumeSize": 10, "UserData": ""}
    document = {"NodeName": NODE, "PoolName": pool, "ProfileName": "amd", "VM": vm}
    assert requests.post(f"{emulator.url}/v1/xcompute/vm", json=document, timeout=10).status_code == 200
    emulator.forget_requests()


@dataclass
class Site:
    """A head node: manifest, state and log folders, and the programs."""

    folder: Path
    manifest: Manifest
    environment: dict[str, str] = field(default_factory=dict)

    def change(self, **changes: object) -> None:
        """Change the manifest that the programs read."""
        self.manifest = structs.replace(self.manifest, **changes)
        (self.folder / "manifest.json").write_text(self.manifest.to_json())

    def call(
        self, program: str, hostlist: str, *further: str, preexec: Callable[[], None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Call a program as slurmctld does: hardly an environment, ``/`` as folder."""
        return subprocess.run(
            self.command(program, hostlist, *further),
            env=self.environment,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            preexec_fn=preexec,
        )

    def start(self, program: str, hostlist: str) -> "subprocess.Popen[str]":
        """Start a program, and go on."""
        return subprocess.Popen(
            self.command(program, hostlist), env=self.environment, cwd="/", stderr=subprocess.PIPE, text=True
        )

    def command(self, program: str, hostlist: str, *further: str) -> list[str]:
        """The program's whole command line."""
        return [str(BIN / program), "--manifest", str(self.folder / "manifest.json"), hostlist, *further]

    def entry(self, node: str = NODE) -> Entry | None:
        """What the ledger says of a node."""
        return self.ledger.peek(node)

    @property
    def ledger(self) -> Ledger:
        """The ledger that the programs use."""
        return Ledger(self.manifest.state_dir)

    def log(self) -> str:
        """What the programs logged."""
        path = Path(self.manifest.log_dir) / "xio.log"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def site(tmp_path: Path, ems_emulator: Emulator) -> Site:
    """A head node whose EMS is the emulator. Slurm isn't there: what it is told is tested on a real one."""
    for name in ("state", "log"):
        (tmp_path / name).mkdir()
    manifest = manifest_with(
        ems_url=ems_emulator.url,
        read_timeout=3,
        max_concurrent_requests=32,
        state_dir=str(tmp_path / "state"),
        log_dir=str(tmp_path / "log"),
        user_data="#!/bin/sh\necho $XIO_NODE\n",
        pools=(Pool(POOL, "amd", "image", 1000, 1, 7200, None, 10), Pool("b", "amd", "image", 10, 1, 7200, 100, 10)),
        recovery=Recovery(retry_seconds=1),
    )
    site = Site(tmp_path, manifest)
    site.change()
    return site
