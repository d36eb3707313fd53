"""What slurmctld knows of nodes from their own mouth: when slurmd started, and what slurm.conf says of their memory."""

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from xio_slurm.slurm.command import run

_FIELD: Final = re.compile(r"(?:^|\s)(NodeName|RealMemory|SlurmdStartTime)=(\S*)")


@dataclass(frozen=True, slots=True)
class Registration:
    """One node's: ``real_memory`` in MiB; ``slurmd_started`` in seconds since 1970, None for one that never did."""

    real_memory: int
    slurmd_started: float | None


def registrations(bin_dir: str, *, slurm_conf: str | None, timeout: float) -> Mapping[str, Registration]:
    """Every node's that Slurm knows. Raises SlurmError when slurmctld doesn't answer in time (seconds)."""
    return parse(run(bin_dir, "scontrol", "show", "node", "-o", "--all", slurm_conf=slurm_conf, timeout=timeout))


def parse(text: str) -> Mapping[str, Registration]:
    """Read an ``scontrol show node -o``; lines that name no node are passed over."""
    found: dict[str, Registration] = {}
    for line in text.splitlines():
        fields = dict(reversed(_FIELD.findall(line)))  # of two the first: a comment can hold anything
        if "NodeName" in fields and fields.get("RealMemory", "").isdecimal():
            started = _seconds(fields.get("SlurmdStartTime", ""))
            found[fields["NodeName"]] = Registration(int(fields["RealMemory"]), started)
    return found


def _seconds(local: str) -> float | None:
    with suppress(ValueError, OverflowError):
        return time.mktime(time.strptime(local, "%Y-%m-%dT%H:%M:%S"))
    return None
