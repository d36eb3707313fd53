"""Makes a lab: everything from an empty folder to a slurmctld that answers."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xio_slurm.config import Config, load
from xio_slurm.deploy.node_definitions import render as render_nodes
from xio_slurm.deploy.programs import Programs as OurPrograms
from xio_slurm.errors import LabError
from xio_slurm.lab import account, daemon, deployment, folder, host_name, ports, programs, slurm_conf
from xio_slurm.lab.account import Account
from xio_slurm.lab.ems_documents import write_scenario
from xio_slurm.lab.emulators import Emulator
from xio_slurm.lab.layout import Layout
from xio_slurm.lab.options import LabOptions
from xio_slurm.lab.own_config import own_config
from xio_slurm.lab.programs import Programs
from xio_slurm.lab.record import Record
from xio_slurm.shipped import shipped

Say = Callable[[str], None]
"""Told what is being done, a line each."""

_KEY_BYTES: Final = 128


@dataclass(frozen=True, slots=True)
class _Ground:
    """What is known before anything is made. ``others`` is slurm.conf's text after our own nodes.

    ``loaded`` is the configuration as its file says it, ``config`` has the lab's own settings.
    """

    options: LabOptions
    layout: Layout
    slurm: Programs
    who: Account
    loaded: Config
    config: Config
    nodes: tuple[str, ...]
    others: str
    unshare: tuple[str, ...]
    warnings: int

    def emulator(self, name: str, scenario: Path | None, tls: Path | None = None) -> Emulator:
        return Emulator(
            name,
            self.layout,
            self.slurm.path,
            self.who.slurm_user,
            self.unshare,
            self.options.boot_seconds,
            scenario,
            tls,
        )

    def notes(self) -> tuple[str, ...]:
        no_names = "" if self.unshare else "unshare isn't allowed here: 'hostname' in a job prints this host's name"
        return tuple(note for note in (self.who.note, no_names) if note)


def bring_up(options: LabOptions, say: Say) -> Record:
    """Make the lab in an empty, locked folder. Raises XioError and leaves whatever there is by then."""
    ground = _look(options)
    say(f"Slurm {ground.slurm.version_text} with {len(ground.nodes)} nodes in {ground.layout.folder}")
    if ground.warnings:
        say(f"{ground.loaded.file}: {ground.warnings} warnings ('xio check {ground.loaded.file}' tells them)")
    for note in ground.notes():
        say(note)
    folder.furnish(ground.layout, ground.who)
    claim = ports.claim(1 + len(ground.nodes))
    try:
        _start_munged(ground)
        url = _start_ems(ground, claim)
        say(f"EMS emulator on {url}")
        delegated_url = _start_delegated(ground)
    finally:
        claim.close()
    _write_files(ground, url, claim.first)
    start_slurmctld(ground.slurm.slurmctld, ground.slurm.bin_dir, ground.slurm.path, ground.layout)
    say("slurmctld answers")
    if options.sync:
        start_sync(ground.slurm.path, ground.layout)
        say("xio sync is at work")
    return _record(ground, url, delegated_url)


def start_slurmctld(slurmctld: Path, bin_dir: Path, path: str, layout: Layout) -> None:
    """Start slurmctld and wait until it answers. Raises LabError with the line of its log that says why not."""
    environment = {"SLURM_CONF": str(layout.slurm_conf), "PATH": path}
    output = layout.log / "slurmctld.out"
    output.unlink(missing_ok=True)  # the last one's reasons aren't this one's
    started = daemon.start("slurmctld", (slurmctld, "-D"), folder=layout.folder, output=output, environment=environment)

    def answers() -> bool:
        ping = subprocess.run(
            (bin_dir / "scontrol", "ping"), env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return " is UP" in ping.stdout

    started.wait(answers)


def start_sync(path: str, layout: Layout) -> None:
    """Start xio sync, as systemd does. Raises LabError if it isn't at work soon."""
    beat = layout.ledger / "sync.json"
    beat.unlink(missing_ok=True)
    started = daemon.start(
        "sync",
        (sys.executable, "-I", "-m", "xio_slurm.commands", "sync", "--manifest", layout.manifest),
        folder=layout.folder,
        output=layout.log / "sync.out",
        environment={"SLURM_CONF": str(layout.slurm_conf), "PATH": path},
    )
    started.wait(beat.exists)


def _look(options: LabOptions) -> _Ground:
    if options.scenario is not None and not options.scenario.exists():
        raise LabError(f"{options.scenario}: there is no such scenario file")
    layout = Layout(options.folder)
    slurm = programs.find(options.slurm)
    loaded = load(_config_file(options))
    config = deployment.adapted(loaded.config, options, layout, slurm.bin_dir)
    others = slurm_conf.delegated_family(options.delegated_nodes, options.timing) + options.slurm_conf
    nodes = ports.nodes_in(render_nodes(config, OurPrograms.in_folder(layout.bin)) + others)
    layout.check_lengths(max(nodes, key=len, default=""))
    who = account.choose()
    return _Ground(
        options,
        layout,
        slurm,
        who,
        loaded.config,
        config,
        nodes,
        others,
        host_name.unshare_arguments(),
        len(loaded.warnings),
    )


def _config_file(options: LabOptions) -> Path:
    return options.config or shipped("xio.yaml")


def _start_munged(ground: _Ground) -> None:
    layout = ground.layout
    key = layout.munge / "key"
    descriptor = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.urandom(_KEY_BYTES))
    arguments = (
        f"--key-file={key}",
        f"--socket={layout.munge_socket}",
        f"--pid-file={layout.munge}/munged.pid",
        f"--log-file={layout.munge}/munged.log",
        f"--seed-file={layout.munge}/munged.seed",
    )
    # --force: munged distrusts folders below one that everybody can write, sticky or not.
    started = daemon.start(
        "munged",
        (ground.slurm.munged, "--foreground", "--force", *arguments),
        folder=layout.folder,
        output=layout.munge / "munged.out",
        environment={"PATH": ground.slurm.path},
    )
    started.wait(layout.munge_socket.is_socket)


def _start_ems(ground: _Ground, claim: ports.Claim) -> str:
    # The Workload Optimizer's EMS speaks TLS, the other product's plain HTTP.
    tls = ground.layout.certificates if ground.config.product == "xwo" else None
    scenario = ground.options.scenario
    if ground.options.applied:
        scenario = write_scenario(ground.config, ground.layout, scenario)
    emulator = ground.emulator("emulator", scenario, tls)
    url = emulator.start([guard.fileno() for guard in claim.guards])
    if tls is not None:
        deployment.give_certificate(ground.layout, ground.who)
    return url


def _start_delegated(ground: _Ground) -> str | None:
    if not ground.options.delegated_nodes:
        return None
    url = ground.emulator("pc-emulator", None).start()
    deployment.write_delegated_programs(ground.layout, url)
    return url


def _write_files(ground: _Ground, url: str, first_port: int) -> None:
    layout = ground.layout
    first_node = first_port + 1
    config = deployment.with_ems(ground.config, url, layout)
    placed = deployment.write(config, layout, first_node)
    folder.write(layout.config, own_config(_config_file(ground.options), ground.loaded, config))
    host = socket.gethostname().partition(".")[0]
    others = ports.with_ports(ground.others, first_node + placed)
    text = slurm_conf.render(
        layout,
        ground.who,
        ground.slurm.version,
        cluster=ground.config.cluster or slurm_conf.CLUSTER,
        host=host,
        port=first_port,
        others=others,
    )
    folder.write(layout.slurm_conf, text)
    cgroup = slurm_conf.cgroup_conf(ground.slurm.version)
    if cgroup is not None:
        folder.write(layout.etc / "cgroup.conf", cgroup)


def _record(ground: _Ground, url: str, delegated_url: str | None) -> Record:
    return Record(
        config=str(_config_file(ground.options)),
        slurmctld=str(ground.slurm.slurmctld),
        slurm_bin_dir=str(ground.slurm.bin_dir),
        slurm_version=ground.slurm.version_text,
        path=ground.slurm.path,
        slurm_user=ground.who.slurm_user,
        emulator_url=url,
        delegated_url=delegated_url,
        own_host_names=bool(ground.unshare),
        notes=ground.notes(),
    )
