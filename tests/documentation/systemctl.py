"""What ``systemctl`` is on a machine without systemd: it starts and ends the lab's slurmctld, and xio-sync by its unit.

``python -m tests.documentation.systemctl ACTION [UNIT]``, options aside. Whatever else it is asked is refused.
"""

import configparser
import os
import pwd
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from xio_slurm.deploy.installation.layout import UNIT
from xio_slurm.lab import Lab

LAB: Final = Path("/tmp/lab")  # noqa: S108  a /tmp of its own
_PID: Final = Path("/run/xio-sync.pid")
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_STOP_SECONDS: Final = 20.0
_ENABLED: Final = Path("/run/xio-sync.enabled")


def main(action: str, unit: str = "") -> int:
    """Do it. 0 as systemctl's, where all is well; 3 as its ``status`` of a unit that doesn't run."""
    service = unit.removesuffix(".service")
    if action == "daemon-reload":
        return 0
    if service == "slurmctld" and action in {"start", "stop", "restart"}:
        return _slurmctld(action)
    if service == "xio-sync":
        return _xio_sync(action)
    print(f"systemctl: this stand-in knows no '{action} {unit}'", file=sys.stderr)
    return 1


def _slurmctld(action: str) -> int:
    lab = Lab.at(LAB)
    if action != "start":
        lab.stop_slurmctld()
    if action != "stop":
        lab.start_slurmctld()
    return 0


def _xio_sync(action: str) -> int:
    if action == "is-enabled":
        return 0 if _ENABLED.exists() else 1
    if action == "status":
        return _tell()
    if action == "enable":
        _ENABLED.touch()
        return 0
    if action == "disable":
        _ENABLED.unlink(missing_ok=True)
    _end()
    if action in {"start", "restart"}:
        _start()
    return 0


def _tell() -> int:
    runs = _running()
    print("* xio-sync.service - xio sync: Slurm's nodes and the VMs behind them stay in step")
    print(f"     Active: {'active (running)' if runs else 'inactive (dead)'}")
    return 0 if runs else 3


def _start() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # as its documentation says
    unit.read(UNIT)
    user = pwd.getpwnam(unit["Service"]["User"])
    with Path("/run/xio-sync.out").open("ab") as output:
        process = subprocess.Popen(
            shlex.split(unit["Service"]["ExecStart"]),
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=(),
            env={"PATH": _PATH},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    _PID.write_text(str(process.pid))


def _running() -> bool:
    """Ended ones stay zombies here: nobody waits for them."""
    with suppress(OSError, psutil.NoSuchProcess):
        return psutil.Process(int(_PID.read_text())).status() != psutil.STATUS_ZOMBIE
    return False


def _end() -> None:
    if _running():
        os.kill(int(_PID.read_text()), signal.SIGTERM)
    end = time.monotonic() + _STOP_SECONDS
    while _running():
        if time.monotonic() > end:
            raise SystemExit(f"systemctl: xio-sync doesn't end within {_STOP_SECONDS:g} s")
        time.sleep(0.05)
    _PID.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(*(argument for argument in sys.argv[1:] if not argument.startswith("--"))))
