"""The cluster of the chaos: 40 nodes of 4 pools, ``xio sync`` at work, an EMS behind a door, a clock of its own."""

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import yaml
from msgspec import structs

from tests.chaos import clock
from tests.chaos.clock import Clock
from tests.chaos.emulator import Emulator
from tests.door import Door
from tests.lab_config import config_of
from xio_slurm.deploy.programs import RESUME, RESUME_FAIL, SUSPEND
from xio_slurm.lab import Lab, LabOptions, Timing, daemon, folder
from xio_slurm.lab.options import QUICK_RECOVERY

POOLS: Final = ("red", "green", "blue", "grey")
NODES_PER_POOL: Final = 10
FOREIGN: Final = ("theirs-1", "xspot-vm-red-99")
"""VMs that this cluster didn't make; one has a name as ours would have it."""

PROGRAMS: Final = {
    RESUME: "xio_slurm.power.resume",
    SUSPEND: "xio_slurm.power.suspend",
    RESUME_FAIL: "xio_slurm.power.resume_fail",
}
"""What slurmctld calls, and the module behind it."""

TIMING: Final = Timing(resume_timeout=45, suspend_timeout=12, suspend_time=4)
"""SuspendTimeout is longer than slurmctld goes on telling a node that a job's run has ended.

While the node's port refuses it, slurmctld 22.05 sends that again each second, for 10 s at most (MessageTimeout; see
slurm_send_addr_recv_msgs). A node that a job could have again before would end the job's next run at its first words.
Real clusters have minutes here.
"""

RECOVERY: Final = structs.replace(QUICK_RECOVERY, boot_failures=10)
"""So many that the dying VMs of a run don't close a pool until an administrator comes: nobody comes."""

_LOG: Final = "SlurmctldDebug=debug2\nDebugFlags=Power,TraceJobs\n"
"""What is needed to understand a fault afterwards."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The parts that a run has its hands on. Our programs and sync reach the EMS by the door and see the clock."""

    lab: Lab
    door: Door
    clock: Clock
    emulator: Emulator

    def start_sync(self) -> None:
        """Start ``xio sync``. Raises LabError if it isn't at work soon."""
        layout = self.lab.layout
        beat = layout.ledger / "sync.json"
        beat.unlink(missing_ok=True)
        started = daemon.start(
            "sync",
            _python("xio_slurm.commands", "sync", "--manifest", str(layout.manifest)),
            folder=layout.folder,
            output=layout.log / "sync.out",
            environment={
                "SLURM_CONF": str(layout.slurm_conf),
                "PATH": self.lab.record.path,
                clock.VARIABLE: str(self.clock.file),
            },
        )
        started.wait(beat.exists)


@contextmanager
def cluster(place: Path, scratch: Path) -> Iterator[Cluster]:
    """The lab, up."""
    config = scratch / "chaos.yaml"
    config.write_text(yaml.safe_dump(config_of(dict.fromkeys(POOLS, NODES_PER_POOL), cpus=2)))
    with Lab.up(LabOptions(place, config=config, timing=TIMING, slurm_conf=_LOG, recovery=RECOVERY)) as lab:
        port = urlsplit(lab.emulator_url).port
        assert port is not None
        with Door(port) as door:
            manifest = json.loads(lab.layout.manifest.read_text())
            lab.layout.manifest.write_text(json.dumps({**manifest, "ems_url": door.url}))
            made = Cluster(lab, door, Clock(lab.layout.etc / "clock"), Emulator(lab.emulator_url))
            _write_programs(made)
            made.start_sync()
            yield made


def _write_programs(made: Cluster) -> None:
    layout = made.lab.layout
    for name, module in PROGRAMS.items():
        command = shlex.join(_python(module, "--manifest", str(layout.manifest)))
        text = f'#!/bin/sh\nexport {clock.VARIABLE}={shlex.quote(str(made.clock.file))}\nexec {command} "$@"\n'
        folder.write(layout.bin / name, text, mode=0o755)


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    # As the lab has it, one word further: so it finds its processes.
    return (sys.executable, "-I", clock.__file__, module, *arguments)
