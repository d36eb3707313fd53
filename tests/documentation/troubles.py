"""What has happened on a cluster before somebody reads of it."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import requests

from tests.documentation.reading import Deed
from tests.documentation.shell import CommandError, Shell
from tests.documentation.systemctl import LAB
from xio_slurm.lab import Lab

_SECONDS: Final = 240.0
_USER: Final = "ann"
_UID: Final = 64001


def no_capacity_for(job: int, pool: str) -> Deed:
    """A job of that number, ann's, waits since the EMS has no capacity for a pool, which is closed."""

    def do(_shell: Shell) -> None:
        lab = Lab.at(LAB)
        lab.wait_until_idle(_SECONDS)
        _fault(lab, effect="no-capacity", match={"pool": pool})
        with Path("/etc/passwd").open("a") as passwd:
            passwd.write(f"{_USER}:x:{_UID}:{_UID}::/tmp:/bin/sh\n")
        with lab.layout.slurm_conf.open("a") as conf:
            conf.write(f"\nFirstJobId={job}\n")
        lab.restart_slurmctld()
        submitted = ("setpriv", f"--reuid={_UID}", f"--regid={_UID}", "--clear-groups", "sbatch", "--parsable")
        ended = lab.run(*submitted, "-o", "/dev/null", "-p", f"xio-{pool}", "--wrap", "hostname")
        if ended.stdout.strip() != str(job):
            raise CommandError(f"sbatch says {ended.stdout}{ended.stderr} in place of {job}")
        # Not while it may not begin yet after its failed start: that is told in other words.
        waits = f"Job {job} waits, since pool {pool} is closed"
        _wait(lambda: _told("xio", "explain", str(job)).startswith(waits), f"job {job} doesn't wait for pool {pool}")

    return do


def _fault(lab: Lab, **fault: object) -> None:
    requests.post(f"{lab.emulator_url}/emulator/faults", json=fault, timeout=10).raise_for_status()


def _told(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _wait(until: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while not until():
        if time.monotonic() > deadline:
            raise CommandError(otherwise)
        time.sleep(0.2)
