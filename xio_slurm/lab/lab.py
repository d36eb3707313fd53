"""A lab that is up: what one does with it."""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

from xio_slurm.deadline import Deadline
from xio_slurm.desk.event_log import read_events
from xio_slurm.ems.answers import document
from xio_slurm.ems.transport import Transport
from xio_slurm.errors import EmsError, LabError, SlurmError, XioError
from xio_slurm.lab import bring_up, deployment, folder, processes
from xio_slurm.lab.bring_up import Say
from xio_slurm.lab.layout import Layout
from xio_slurm.lab.options import LabOptions
from xio_slurm.lab.record import Record
from xio_slurm.slurm.command import run
from xio_slurm.slurm.states import NodeState, parse_nodes

_SECONDS: Final = 30.0
_IDLE: Final = frozenset({"CLOUD", "POWERED_DOWN"})
_STAYS: Final = frozenset({"NOT_RESPONDING"})
"""22.05 shows it on nodes that were resumed after a failure; they can be used all the same."""
_OTHER_CLUSTERS: Final = ("SLURM", "SBATCH_", "SALLOC_", "SRUN_", "SQUEUE_", "SCONTROL_", "SINFO_")
_DAEMONS: Final = ("munged", "slurmctld", "emulator")


@dataclass(frozen=True, slots=True)
class Status:
    """What runs of a lab. ``daemons`` has the process of each, None where it is gone; ``nodes`` counts by state."""

    folder: str
    slurm_version: str
    slurm_user: str
    slurm_conf: str
    emulator_url: str
    daemons: Mapping[str, int | None]
    nodes: Mapping[str, int]
    vms: tuple[str, ...]
    jobs: int
    notes: tuple[str, ...]

    @property
    def running(self) -> bool:
        """Whether all of its daemons run."""
        return all(self.daemons.values())


class Lab:
    """A throw-away cluster in one folder: munged, slurmctld, an EMS emulator whose VMs are the nodes."""

    def __init__(self, layout: Layout, record: Record) -> None:
        self.layout = layout
        self.record = record
        self._ems = Transport(
            record.emulator_url,
            connect_timeout=_SECONDS,
            read_timeout=_SECONDS,
            max_connections=1,
            tls=deployment.tls(layout),
        )

    @classmethod
    def up(cls, options: LabOptions, say: Say = lambda _line: None) -> Self:
        """Make a lab. ``say`` is told what is being done.

        Raises LabError when one runs in the folder already, and XioError when it doesn't come up; then nothing of it
        is left.
        """
        place = folder.checked(options.folder)
        folder.make(place)
        with folder.locked(place):
            if Layout(place).record.exists() and _pid_of("slurmctld", place):
                raise LabError(f"{place}: a lab runs there already: use it, or end it with 'xio lab down'")
            try:
                processes.end(place)  # what an earlier one left that was killed
                folder.empty(place)
                record = bring_up.bring_up(replace(options, folder=place), say)
                record.write(Layout(place))
            except BaseException:
                processes.end(place)
                folder.remove_tree(place)
                raise
        return cls(Layout(place), record)

    @classmethod
    def at(cls, place: Path) -> Self:
        """The lab that is up in a folder. Raises LabError if there is none."""
        layout = Layout(folder.checked(place))
        return cls(layout, Record.read(layout))

    def down(self) -> None:
        """End every process of the lab and remove its folder. Raises LabError if something resists."""
        folder.remove(self.layout.folder)

    def stop(self) -> None:
        """End every process of the lab, and keep its folder for its logs. ``down`` removes that as well."""
        processes.end(self.layout.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.down()

    @property
    def emulator_url(self) -> str:
        """Where the EMS emulator is: the EMS's API, and below ``/emulator/`` its own, for faults."""
        return self.record.emulator_url

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which Slurm's commands, and ``xio``, speak to this lab."""
        # Somebody's own cluster, or the job that this runs in, would come through otherwise.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OTHER_CLUSTERS)}
        ours = {"XIO_MANIFEST": str(self.layout.manifest), "XIO_CONFIG": str(self.layout.config)}
        return {**kept, **ours, "SLURM_CONF": str(self.layout.slurm_conf), "PATH": self._path()}

    def run(
        self, *command: str | Path, seconds: float = 120.0, text_in: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the lab and wait for it. Raises LabError if it can't be run, or takes longer."""
        try:
            return subprocess.run(
                command,
                env=self.environment,
                input=text_in,
                stdin=subprocess.DEVNULL if text_in is None else None,
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise LabError(f"{command[0]}: {error}") from error

    def nodes(self) -> dict[str, NodeState]:
        """What Slurm says of every node. Raises SlurmError when slurmctld doesn't answer."""
        return {node.name: node for node in parse_nodes(self._scontrol("show", "node", "-o"))}

    def vms(self) -> tuple[str, ...]:
        """The names of the VMs that the EMS has. Raises LabError when the emulator doesn't answer."""
        return tuple(vm["NodeName"] for vm in self.emulator("/v1/xcompute/vms")["Vms"])

    def emulator(self, path: str) -> Any:
        """What the emulator answers to a GET, as JSON: the EMS's API, and its own below ``/emulator/``.

        Raises LabError when it doesn't answer.
        """
        try:
            return document(self._ems.request("GET", path, Deadline.after(_SECONDS)), path)
        except EmsError as error:
            raise LabError(f"the emulator doesn't answer: {error}") from error

    def history(self) -> list[Any]:
        """What happened to the EMS's VMs: ``time``, ``event``, ``node``. Raises LabError like ``emulator``."""
        events: list[Any] = self.emulator("/emulator/history")["history"]
        return events

    def requests(self) -> list[Any]:
        """The requests that the EMS got: ``time``, ``method``, ``path``, ``node``, ``status``. Raises LabError."""
        made: list[Any] = self.emulator("/emulator/requests")["requests"]
        return made

    def events(self, kind: str, **match: object) -> list[Mapping[str, Any]]:
        """What our programs noted of this kind, with these details (docs/events.md). Raises EventsError."""
        every = read_events(str(self.layout.log), 0.0)
        return [event.details for event in every if event.kind == kind and match.items() <= event.details.items()]

    def wait_until_idle(self, seconds: float) -> None:
        """Wait until every node is powered down and no VM is left. Raises LabError with those that aren't."""
        deadline = Deadline.after(seconds)
        while (left := self._not_idle()) and not deadline.passed():
            time.sleep(0.2)
        if left:
            raise LabError(f"not powered down after {seconds:g} s: {', '.join(left[:5])}")

    def _not_idle(self) -> list[str]:
        try:
            nodes = self.nodes()
        except SlurmError as error:  # it is being restarted, perhaps
            return [str(error)]
        states = [
            f"{node.name} ({'+'.join((node.base, *sorted(node.flags)))})"
            for node in nodes.values()
            if node.base != "IDLE" or node.flags - _STAYS != _IDLE
        ]
        return states + [f"VM {name}" for name in self.vms()]

    def status(self) -> Status:
        """What of the lab runs. What can't be asked is empty."""
        daemons = {name: _pid_of(name, self.layout.folder) for name in _DAEMONS}
        if sync := _pid_of("sync", self.layout.folder):
            daemons["xio sync"] = sync
        states: Counter[str] = Counter()
        vms: tuple[str, ...] = ()
        jobs = 0
        if daemons["slurmctld"]:  # its clients would wait for it long
            with suppress(XioError):
                states.update("+".join((node.base, *sorted(node.flags))) for node in self.nodes().values())
                jobs = len(self.run("squeue", "-h", "-o", "%i").stdout.split())
        if daemons["emulator"]:
            with suppress(LabError):
                vms = self.vms()
        return Status(
            folder=str(self.layout.folder),
            slurm_version=self.record.slurm_version,
            slurm_user=self.record.slurm_user,
            slurm_conf=str(self.layout.slurm_conf),
            emulator_url=self.emulator_url,
            daemons=daemons,
            nodes=dict(states),
            vms=vms,
            jobs=jobs,
            notes=self.record.notes,
        )

    def start_slurmctld(self) -> None:
        """Start slurmctld again. Raises LabError with its reason if it doesn't come up."""
        record = self.record
        bring_up.start_slurmctld(Path(record.slurmctld), Path(record.slurm_bin_dir), record.path, self.layout)

    def stop_slurmctld(self) -> None:
        """Stop slurmctld as an administrator does: it saves its state. Jobs and nodes go on."""
        for process in processes.named("slurmctld", self.layout.folder):
            processes.end_one(process)

    def kill_slurmctld(self) -> None:
        """Have slurmctld end as in a crash."""
        for process in processes.named("slurmctld", self.layout.folder):
            processes.kill_one(process)

    def restart_slurmctld(self) -> None:
        """Stop and start slurmctld."""
        self.stop_slurmctld()
        self.start_slurmctld()

    def start_sync(self) -> None:
        """Start ``xio sync``. Raises LabError if it isn't at work soon."""
        bring_up.start_sync(self.record.path, self.layout)

    def stop_sync(self) -> None:
        """Stop ``xio sync`` as systemd does."""
        for process in processes.named("sync", self.layout.folder):
            processes.end_one(process)

    def kill_sync(self) -> None:
        """Have ``xio sync`` end as in a crash."""
        for process in processes.named("sync", self.layout.folder):
            processes.kill_one(process)

    def _path(self) -> str:
        return os.pathsep.join((str(self.layout.bin), self.record.path, os.environ.get("PATH", os.defpath)))

    def _scontrol(self, *arguments: str) -> str:
        conf = str(self.layout.slurm_conf)
        return run(self.record.slurm_bin_dir, "scontrol", *arguments, slurm_conf=conf, timeout=_SECONDS)


def _pid_of(daemon: str, place: Path) -> int | None:
    found = processes.named(daemon, place)
    return found[0].pid if found else None
