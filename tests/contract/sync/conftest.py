"""A head node for ``xio sync``: manifest, ledger, an EMS over HTTP, and a Slurm whose answers are written down.

What a real Slurm makes of it is tested on one; here its states can be such as no lab brings about.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import requests
from msgspec import structs

from tests.manifests import manifest_with
from xio_slurm.emulator.tool import Emulator
from xio_slurm.ledger import Entry, Ledger, Run
from xio_slurm.manifest import Manifest, Pool, Recovery
from xio_slurm.power.sync.notices import Notices
from xio_slurm.power.sync.one_pass import Passed, Passes

POOL: Final = "amd"
NODE: Final = "xspot-vm-amd-1"
NODE_2: Final = "xspot-vm-amd-2"
OFF: Final = "IDLE+CLOUD+POWERED_DOWN"
BOOTING: Final = "ALLOCATED+CLOUD+NOT_RESPONDING+POWERING_UP"
RUNNING: Final = "ALLOCATED+CLOUD"
LONG_AGO: Final = 100_000.0
GRACE: Final = 0.3

SCONTROL: Final = """#!/bin/sh
if [ -e {folder}/fails ]; then echo 'slurm_load_node error: Unable to contact slurm controller' >&2; exit 1; fi
[ "$1" = show ] || printf '%s\\n' "$*" >> {folder}/updates
printf '%s\\n' "$*" >> {folder}/calls
case "$1 $2" in "show node") cat {folder}/nodes ;; esac
"""


@dataclass
class Slurm:
    """What Slurm says of its nodes, and what it was told."""

    folder: Path
    _states: dict[str, str] = field(default_factory=dict)

    def say(self, state: str, *nodes: str, reason: str = "", address: str = "") -> None:
        """Have the nodes be in that state from now on."""
        because = f" Reason={reason} [slurm@2026-11-22T09:01:02]" if reason else ""
        for node in nodes:
            self._states[node] = f"NodeName={node} NodeAddr={address or node} State={state} Partitions=xio{because}"
        (self.folder / "nodes").write_text("\n".join(self._states.values()) + "\n")

    def forget(self, node: str) -> None:
        """Have Slurm not know the node."""
        del self._states[node]
        (self.folder / "nodes").write_text("\n".join(self._states.values()) + "\n")

    def be(self, version: str) -> None:
        """Be another release."""
        (self.folder / "bin" / "slurmctld").write_text(f"#!/bin/sh\necho slurm {version}\n")
        (self.folder / "bin" / "slurmctld").chmod(0o755)

    def fail(self, *, fails: bool = True) -> None:
        """Have slurmctld be away, or back."""
        (self.folder / "fails").touch() if fails else (self.folder / "fails").unlink()

    def updates(self) -> list[str]:
        """What it was told, a line each."""
        return self._lines("updates")

    def calls(self) -> list[str]:
        """Every call of scontrol."""
        return self._lines("calls")

    def _lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []


@dataclass
class HeadNode:
    """Where ``xio sync`` runs."""

    folder: Path
    manifest: Manifest
    slurm: Slurm
    emulator: Emulator
    notices: Notices = field(default_factory=Notices)
    stays: bool = True
    stop: Callable[[], bool] = lambda: False
    _passes: Passes | None = None

    def change(self, **changes: Any) -> None:
        """Change the manifest; sync sees to it anew."""
        self.manifest = structs.replace(self.manifest, **changes)
        self.path.write_text(self.manifest.to_json())
        self._passes = None

    @property
    def path(self) -> Path:
        """The manifest's file."""
        return self.folder / "manifest.json"

    @property
    def ledger(self) -> Ledger:
        """The ledger."""
        return Ledger(self.manifest.state_dir)

    def look(self) -> Passed:
        """Make a pass, in this process."""
        if self._passes is None:
            self._passes = Passes(self.manifest, self.notices, self.stop, stays=self.stays)
        return self._passes.run()

    def looks(self, times: int = 2) -> Passed:
        """Make passes that confirm each other."""
        passed = self.look()
        for _ in range(times - 1):
            time.sleep(GRACE + 0.05)
            passed = self.look()
        return passed

    def note(self, phase: str, node: str = NODE, *, age: float = LONG_AGO, **details: Any) -> Entry:
        """Have the ledger say that of a node, since so many seconds."""
        then = time.time() - age
        entry = Entry(node, POOL, phase, Run("xio-resume-1-1", then), asked=then, **details)  # type: ignore[arg-type]
        self.ledger.prepare()
        (Path(self.manifest.state_dir) / "nodes" / f"{node}.json").write_bytes(msgspec.json.encode(entry))
        return entry

    def phase(self, node: str = NODE) -> str | None:
        """What the ledger says of a node."""
        entry = self.ledger.peek(node)
        return entry.phase if entry is not None else None

    def make_vm(self, node: str = NODE) -> None:
        """Have the EMS have a VM of that name."""
        vm = {"CPUs": 1, "ImageName": "x", "MaxMemory": 1000, "VolumeSize": 10, "UserData": ""}
        document = {"NodeName": node, "PoolName": POOL, "ProfileName": "amd", "VM": vm}
        assert requests.post(f"{self.emulator.url}/v1/xcompute/vm", json=document, timeout=10).status_code == 200
        self.emulator.forget_requests()

    def vms(self) -> set[str]:
        """The VMs that the EMS has."""
        return {vm.node for vm in self.emulator.vms()}

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The events of that kind."""
        path = Path(self.manifest.log_dir) / "events.jsonl"
        lines = map(json.loads, path.read_text().splitlines()) if path.exists() else ()
        return [line for line in lines if line["event"] == kind]

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        """Start ``xio sync`` as systemd does."""
        return subprocess.Popen(
            [sys.executable, "-I", "-m", "xio_slurm.commands", "sync", "--manifest", str(self.path), *arguments],
            env={"PATH": os.defpath, **environment},
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run ``xio sync``, and wait for its end."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture
def head(tmp_path: Path, ems_emulator: Emulator) -> HeadNode:
    """A head node with two idle nodes, and nothing to do."""
    for name in ("state", "log", "bin"):
        (tmp_path / name).mkdir()
    slurm = Slurm(tmp_path)
    for program, script in (("scontrol", SCONTROL.format(folder=tmp_path)), ("squeue", "#!/bin/sh\n")):
        (tmp_path / "bin" / program).write_text(script)
        (tmp_path / "bin" / program).chmod(0o755)
    slurm.say(OFF, NODE, NODE_2)
    slurm.be("24.05.1")
    manifest = manifest_with(
        ems_url=ems_emulator.url,
        read_timeout=3,
        max_concurrent_requests=32,
        state_dir=str(tmp_path / "state"),
        log_dir=str(tmp_path / "log"),
        slurm_bin_dir=str(tmp_path / "bin"),
        resume_timeout=600,
        suspend_timeout=30,
        user_data="#!/bin/sh\necho $XIO_NODE\n",
        pools=(Pool(POOL, "amd", "image", 20_000, 1, 7200, None, 10),),
        recovery=Recovery(retry_seconds=1, grace=GRACE, sync_interval=0.2, boot_failures=3),
    )
    head = HeadNode(tmp_path, manifest, slurm, ems_emulator)
    head.change()
    return head
