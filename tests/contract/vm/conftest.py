"""``xio vm`` in processes of its own, with an emulator as the EMS."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from msgspec import structs

from tests.manifests import manifest_with
from xio_slurm.deadline import Deadline
from xio_slurm.emulator.tool import Emulator
from xio_slurm.ledger import Entry, Ledger, Phase, Run
from xio_slurm.manifest import Manifest, Pool

XIO = Path(__file__).resolve().parents[3] / "bin" / "xio"
POOL = "amd-8-gb-1-cores"
NODE = f"xspot-vm-{POOL}-1"
OTHERS = "their-node-7"
ODD: Final[dict[str, dict[str, Any]]] = {
    "html": {"effect": "status", "status": 200, "body": "html", "text": "<html><title>Login</title></html>"},
    "empty": {"effect": "status", "status": 200, "text": ""},
    "500": {"effect": "status", "status": 500},
    "102": {"effect": "status", "status": 102},
    "truncated": {"effect": "truncated-json"},
    "cut off": {"effect": "truncated-body"},
    "huge": {"effect": "huge-body", "bytes": 10 * 1024 * 1024},
    "drip": {"effect": "slow-drip", "seconds": 30},
}
"""Answers that an EMS shouldn't give, as faults."""

A_RUN = Run("xio-resume-1-2", 1000.0)


def make_vm(emulator: Emulator, node: str, pool: str = "theirs") -> None:
    """A VM that this cluster's programs didn't ask for."""
    vm = {"CPUs": 1, "ImageName": "x", "MaxMemory": 1000, "VolumeSize": 10, "UserData": ""}
    document = {"NodeName": node, "PoolName": pool, "ProfileName": "amd", "VM": vm}
    assert requests.post(f"{emulator.url}/v1/xcompute/vm", json=document, timeout=10).status_code == 200
    emulator.forget_requests()


@dataclass
class Site:
    """A head node where ``xio vm`` is called."""

    folder: Path
    manifest: Manifest
    ems: Emulator
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/bin:/bin"})

    def change(self, **changes: object) -> None:
        """Change the manifest."""
        self.manifest = structs.replace(self.manifest, **changes)
        (self.folder / "manifest.json").write_text(self.manifest.to_json())

    def command(self, *arguments: str) -> list[str]:
        """The whole command line."""
        return [str(XIO), "vm", *arguments, "--manifest", str(self.folder / "manifest.json")]

    def xio(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call it and wait."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """Call it with --json, and read what it prints."""
        return json.loads(self.xio(*arguments, "--json").stdout)

    def test(self, *more: str) -> subprocess.CompletedProcess[str]:
        """``xio vm test`` of our pool."""
        return self.xio("test", "--pool", POOL, *more)

    def start_test(self, *more: str) -> "Running":
        """Start ``xio vm test`` of our pool, and go on."""
        command = self.command("test", "--pool", POOL, *more)
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command, env=self.environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
        )
        return Running(process)

    @property
    def ledger(self) -> Ledger:
        """The ledger that the commands use."""
        return Ledger(self.manifest.state_dir)

    def record(self, node: str, phase: Phase, **more: Any) -> None:
        """Have the ledger say something of a node, as a program would have left it."""
        self.ledger.prepare()
        (Path(self.manifest.state_dir) / "nodes" / f"{node}.json").unlink(missing_ok=True)
        with self.ledger.locked(node, Deadline.after(5)) as slot:
            slot.write(Entry(node, POOL, phase, A_RUN, asked=more.pop("asked", time.time()), attempts=1, **more))

    def tests_in_ledger(self) -> list[Entry]:
        """What the ledger says of test VMs, those that are gone too."""
        nodes = (path.stem for path in Path(self.manifest.state_dir, "nodes").glob("xio-test-*.json"))
        return [entry for node in nodes if (entry := self.ledger.peek(node)) is not None]


@dataclass
class Running:
    """A ``xio vm test`` that is running."""

    process: "subprocess.Popen[str]"

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def wait_for(self, text: str) -> None:
        """Read its stdout up to a line that holds the text."""
        assert self.process.stdout is not None
        assert any(text in line for line in self.process.stdout), f"it ended without {text!r}"

    def wait_for_error(self, text: str) -> None:
        """The same of its stderr."""
        assert self.process.stderr is not None
        assert any(text in line for line in self.process.stderr), f"it ended without {text!r}"

    def end(self, seconds: float = 30) -> tuple[int, str, str]:
        """Wait for its end: exit code, stdout, stderr."""
        out, err = self.process.communicate(timeout=seconds)
        return self.process.returncode, out, err


def one_line_each(stderr: str) -> bool:
    """Whether all of it are our lines, each with a command below it at most, and no traceback."""
    return all(re.match(r"xio: \S|    xio \S", line) for line in stderr.splitlines())


def errors(done: "subprocess.CompletedProcess[str]") -> str:
    """Its stderr without the line that tells somebody who waits for what."""
    return re.sub(r"\Aasking the EMS .* \.\.\.\n", "", done.stderr)


@pytest.fixture
def site(tmp_path: Path, ems_emulator: Emulator) -> Iterator[Site]:
    """A head node. Slurm isn't there: it says that it has no nodes unless a test has it say more."""
    for name in ("state", "log", "bin"):
        (tmp_path / name).mkdir()
    manifest = manifest_with(
        ems_url=ems_emulator.url,
        state_dir=str(tmp_path / "state"),
        log_dir=str(tmp_path / "log"),
        slurm_bin_dir=str(tmp_path / "bin"),
        pools=(Pool(POOL, "amd", "image", 1000, 3, 7200, 100, 12), Pool("b", "amd", "image", 10, 1, 7200, None, 10)),
    )
    site = Site(tmp_path, manifest, ems_emulator)
    site.change()
    slurm_says(site)
    make_vm(ems_emulator, OTHERS)
    ems_emulator.wait_until(lambda: all(vm.address for vm in ems_emulator.vms()))
    before = ems_emulator.vms()
    yield site
    assert [vm for vm in ems_emulator.vms() if vm.node == OTHERS] == before, "another cluster's VM was touched"


def slurm_says(site: Site, *lines: str) -> None:
    """A scontrol that answers with these lines, and notes that it was asked."""
    path = Path(site.manifest.slurm_bin_dir) / "scontrol"
    text = "\n".join(lines)
    path.write_text(f"#!/bin/sh\necho \"$@\" >> {site.folder}/asked\ncat <<'END'\n{text}\nEND\n")
    path.chmod(0o755)


def slurm_was_asked(site: Site) -> list[str]:
    """The arguments of each call of scontrol."""
    path = site.folder / "asked"
    return path.read_text().splitlines() if path.exists() else []
