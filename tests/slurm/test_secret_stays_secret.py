"""A recorded search for the VMs' root password, through all that a cluster does with it.

While a lab runs jobs and meets faults, every process's arguments and environment are read again and again; after it,
every file that it can have written. The password is in its own file alone, its hash in the VMs' own scripts alone.
"""

import base64
import json
import os
import re
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
import yaml
from passlib.hash import sha512_crypt

from tests.slurm.jobs import submit
from tests.slurm.waiting import wait_for
from xio_slurm.lab import Lab, account
from xio_slurm.shipped import shipped

PARTITION = "xio-amd-8-gb-1-cores"
NODE = "xspot-vm-amd-8-gb-1-cores-"
PLACES = ("/tmp", "/var/log", "/var/tmp", "/run")  # noqa: S108  # where anything can have been written
LARGEST = 50_000_000
"""Bytes of a file that are searched: none of a lab's is larger."""


@dataclass
class Secret:
    """A root password that is nowhere else on this machine, in a file that SlurmUser can read."""

    folder: Path
    password: str = field(default_factory=lambda: f"Gr0ß {secrets.token_hex(12)} 'x")

    @property
    def file(self) -> Path:
        return self.folder / "root-password"

    def write(self) -> None:
        """Write the file, and the configuration that names it."""
        who = account.choose()
        self.folder.chmod(0o755)
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{self.password}\n")
        os.chown(self.file, who.uid, who.gid)
        document = yaml.safe_load(shipped("xio.yaml").read_text())
        document["slurm"]["Xio"]["Plugin"] = {"VmRootPasswordFile": str(self.file)}
        self.config.write_text(yaml.safe_dump(document))

    @property
    def config(self) -> Path:
        return self.folder / "xio.yaml"


class Watch:
    """Reads every process's arguments and environment for as long as it is open, and keeps what holds a mark."""

    def __init__(self, marks: Iterable[bytes]) -> None:
        self._marks = tuple(marks)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.seen: set[str] = set()
        self.programs: set[bytes] = set()

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.01):
            for entry in os.scandir("/proc"):
                if entry.name.isdigit():
                    for kind in ("cmdline", "environ"):
                        self._look(f"{entry.path}/{kind}")

    def _look(self, path: str) -> None:
        with suppress(OSError), open(path, "rb") as file:  # noqa: PTH123  # thousands a second
            content = file.read()
            self.programs |= set(re.findall(rb"xio_slurm\.power\.\w+", content))
            if any(mark in content for mark in self._marks):
                self.seen.add(f"{path}: {content!r}")


def forms(text: str) -> tuple[bytes, ...]:
    """How a text can stand in a file: as it is, in JSON, and within base64, where it can begin in three ways."""
    raw = text.encode()
    inner = (
        base64.b64encode(b"\0" * before + raw)[4 if before else 0 :][: len(raw) // 3 * 4 - 4] for before in range(3)
    )
    return (raw, json.dumps(text)[1:-1].encode(), *inner)


def holding(marks: Iterable[bytes], folders: Iterable[Path], since: float) -> set[Path]:
    """The files that were changed since then and hold one of the marks."""
    patterns = tuple(marks)
    found = set()
    for folder in folders:
        for place, _, names in os.walk(folder):
            for path in (Path(place) / name for name in names):
                with suppress(OSError):
                    about = path.lstat()
                    if path.is_file() and about.st_mtime >= since and about.st_size < LARGEST:
                        content = path.read_bytes()
                        if any(mark in content for mark in patterns):
                            found.add(path)
    return found


@pytest.fixture
def secret() -> Iterator[Secret]:
    folder = Path(tempfile.mkdtemp(prefix="xio-s-", dir="/tmp"))
    made = Secret(folder)
    made.write()
    yield made
    shutil.rmtree(folder)


def _fault(lab: Lab, **fault: object) -> None:
    requests.post(f"{lab.emulator_url}/emulator/faults", json=fault, timeout=10).raise_for_status()


def _script(lab: Lab, node: str) -> str:
    return requests.get(f"{lab.emulator_url}/emulator/vms/{node}/user-data", timeout=10).text


def _runs(lab: Lab, node: str) -> None:
    job = lab.run("srun", "-p", PARTITION, "-w", node, "hostname")
    assert (job.returncode, job.stdout.strip()) == (0, node), job.stderr


def test_the_root_password_is_nowhere_but_in_its_file(make_lab: Callable[..., Lab], secret: Secret) -> None:
    began = time.time() - 1
    shadow = Path("/etc/shadow").read_bytes() if os.geteuid() == 0 else b""
    with Watch((*forms(secret.password), b"$6$rounds=")) as watch:
        lab = make_lab(config=secret.config)
        _runs(lab, f"{NODE}1")
        # A VM that is refused, one whose answer is lost, one that the EMS answers with a page of nothing.
        _fault(lab, effect="status", status=400, error="no", match={"method": "POST", "node": "*-2"}, times=1)
        refused = submit(lab, "-p", PARTITION, "-w", f"{NODE}2")
        wait_for(lambda: '"event": "failed"' in lab.layout.events.read_text(), 60)
        assert lab.run("scancel", str(refused)).returncode == 0
        for breaker in (lab.layout.ledger / "pools").glob("*.json"):
            breaker.unlink()  # the pool of the refused VM is closed
        _fault(lab, effect="lost-answer", match={"method": "POST"}, times=1)
        _runs(lab, f"{NODE}3")
        _fault(lab, effect="truncated-json", match={"method": "POST"}, times=1)
        _runs(lab, f"{NODE}4")
        # By hand, by an administrator; and with a file that others can read.
        assert lab.run(lab.layout.bin / "xio-resume", f"{NODE}5").returncode == 0
        scripts = {number: _script(lab, f"{NODE}{number}") for number in (1, 3, 4, 5)}
        hashes = [found for script in scripts.values() for found in re.findall(r"PASSWORD_HASH='(\S+)'", script)]
        of_hashes = [form for found in hashes for form in forms(found)]
        own_scripts = wait_for(lambda: holding(of_hashes, [lab.layout.folder], began), 30)
        secret.file.chmod(0o644)
        _runs(lab, f"{NODE}6")
        without = _script(lab, f"{NODE}6")
        assert lab.run(lab.layout.bin / "xio-suspend", f"{NODE}5").returncode == 0
        lab.wait_until_idle(240)
        records = [lab.emulator(f"/emulator/{kind}") for kind in ("vms", "history", "requests", "faults")]
        lab.stop()

    # It went all the way.
    assert [sha512_crypt.verify(secret.password, found) for found in hashes] == [True] * 4
    assert "XIO_ROOT_PASSWORD_HASH=''" in without
    assert {b"xio_slurm.power.resume", b"xio_slurm.power.suspend"} <= watch.programs
    assert lab.layout.events.read_text().count('"event": "no-password"') == 1
    # And nowhere else.
    assert watch.seen == set()
    assert {path.suffix for path in own_scripts} == {".user-data"}
    places = [Path(place) for place in PLACES]
    assert holding(forms(secret.password), [*places, lab.layout.folder], began) == {secret.file}
    assert holding(of_hashes, [*places, lab.layout.folder], began) == set()
    assert not [form for form in (*forms(secret.password), *of_hashes) if form in json.dumps(records).encode()]
    # A VM is a process of this machine here: its root is this machine's, whose password is as it was.
    assert os.geteuid() != 0 or Path("/etc/shadow").read_bytes() == shadow
