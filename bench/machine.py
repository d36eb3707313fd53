"""The kind of machine that figures were taken on."""

import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping
from typing import Final

_TIMES: Final = 50


def kind() -> Mapping[str, str]:
    """What of the machine matters to the figures, and nothing that tells which one it is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "Python": platform.python_version(),
        "Slurm": _printed("slurmctld", "-V").rpartition(" ")[2] or "none",
        "file system": _printed("stat", "-f", "-c", "%T", tempfile.gettempdir()) or "unknown",
        "a synced file": f"{_synced_file() * 1000:.2f} ms",
    }


def _synced_file() -> float:
    """Seconds until a small file is on the disk: the ledger has one for each node."""
    taken = []
    with tempfile.TemporaryFile(buffering=0) as file:
        for number in range(_TIMES):
            began = time.perf_counter()
            file.write(b"%d" % number)
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _printed(*command: str) -> str:
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"))
    try:
        ended = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return ended.stdout.strip()
