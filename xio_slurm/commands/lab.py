"""``xio lab``: a throw-away Slurm cluster on this machine, to try a configuration on."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import click

from xio_slurm.commands.output import json_option
from xio_slurm.errors import LabError

try:
    from xio_slurm.lab import Lab, LabOptions, Status, Timing
    from xio_slurm.lab import folder as lab_folder
except ModuleNotFoundError as error:
    raise LabError(f"the lab needs {error.name}: pip install 'xio-slurm[emulator]'") from error

_dir = click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=lab_folder.default_folder,
    help="The lab's folder. Short: sockets' paths are.  [default: /tmp/xio-lab-<your user id>]",
)

_seconds = click.IntRange(min=1)


@click.group()
def command() -> None:
    """Run a throw-away Slurm cluster on this machine.

    munged, slurmctld and an EMS emulator in one folder, on loopback. The nodes are those of a configuration;
    resuming one has the emulator boot a VM, which is a slurmd here. It needs Debian's slurmctld, slurmd,
    slurm-client and munge; not root.

    \b
    Examples:
      xio lab up
      xio lab run -- sinfo
      xio lab run -- srun -p xio-amd-8-gb-1-cores hostname
      xio lab down
    """


@command.command()
@_dir
@click.option("--config", type=click.Path(path_type=Path), help="Configuration.  [default: the shipped xio.yaml]")
@click.option("--slurm", type=click.Path(path_type=Path), help="Folder with bin and sbin of the Slurm to use.")
@click.option("--scenario", type=click.Path(path_type=Path), help="Faults of the EMS emulator to begin with.")
@click.option(
    "--boot-seconds",
    type=click.FloatRange(min=0),
    default=0.5,
    show_default=True,
    help="From asking for a VM to its user data.",
)
@click.option(
    "--resume-timeout", type=_seconds, default=Timing().resume_timeout, show_default=True, help="As slurm.conf has it."
)
@click.option(
    "--suspend-time", type=_seconds, default=Timing().suspend_time, show_default=True, help="As slurm.conf has it."
)
@click.option(
    "--suspend-timeout",
    type=_seconds,
    default=Timing().suspend_timeout,
    show_default=True,
    help="As slurm.conf has it.",
)
@click.option(
    "--delegated-nodes",
    type=click.IntRange(min=0, max=1000),
    default=0,
    show_default=True,
    help="Nodes pc-1 ... of a second family, with stub programs.",
)
@click.option("--sync", is_flag=True, help="Run 'xio sync' too.")
def up(
    *,
    folder: Path,
    config: Path | None,
    slurm: Path | None,
    scenario: Path | None,
    boot_seconds: float,
    resume_timeout: int,
    suspend_time: int,
    suspend_timeout: int,
    delegated_nodes: int,
    sync: bool,
) -> None:
    """Make a lab; it runs until 'xio lab down'.

    \b
    Examples:
      xio lab up
      xio lab up --config my.yaml --dir /tmp/mine
      xio lab up --delegated-nodes 3 --suspend-time 60
      xio lab up --sync
    """
    timing = Timing(resume_timeout=resume_timeout, suspend_timeout=suspend_timeout, suspend_time=suspend_time)
    options = LabOptions(
        folder=folder,
        config=config.absolute() if config else None,
        slurm=slurm.absolute() if slurm else None,
        timing=timing,
        delegated_nodes=delegated_nodes,
        boot_seconds=boot_seconds,
        scenario=scenario.absolute() if scenario else None,
        sync=sync,
    )
    lab = Lab.up(options, click.echo)
    try:
        _print_what_next(lab, folder)
    except KeyboardInterrupt:
        lab.down()
        raise


def _print_what_next(lab: Lab, folder: Path) -> None:
    of_dir = "" if folder == lab_folder.default_folder() else f" --dir {folder}"
    partition = next(iter(lab.run("sinfo", "-h", "-o", "%R").stdout.split()), "")
    click.echo(f"\nThe lab is up. xio lab run{of_dir} -- srun -p {partition} hostname")
    click.echo(f"To end it:      xio lab down{of_dir}")


@command.command()
@_dir
@json_option("For programs.")
def status(*, folder: Path, as_json: bool) -> None:
    """Tell what of a lab runs. Exit code 0 if all of it does.

    \b
    Examples:
      xio lab status
      xio lab status --json
    """
    told = Lab.at(folder).status()
    if as_json:
        click.echo(json.dumps({"running": told.running, **asdict(told)}, indent=2))
    else:
        _print_status(told)
    if not told.running:
        sys.exit(1)


def _print_status(told: Status) -> None:
    click.echo(f"Lab in {told.folder}, Slurm {told.slurm_version}, SlurmUser {told.slurm_user}")
    for note in told.notes:
        click.echo(f"  ({note})")
    for name, pid in told.daemons.items():
        told_state = f"pid {pid}" if pid else click.style("doesn't run", fg="red")
        click.echo(f"  {name:<11} {told_state}")
    click.echo(f"  EMS         {told.emulator_url}, {len(told.vms)} VMs")
    click.echo(f"  SLURM_CONF  {told.slurm_conf}")
    click.echo(f"  jobs        {told.jobs}")
    for state, count in sorted(told.nodes.items()):
        click.echo(f"  {count:>5} nodes {state}")


@command.command()
@_dir
def down(*, folder: Path) -> None:
    """End a lab: every process of it, and its folder.

    It also clears away what an 'up' left that was killed. Jobs that run are lost.

    \b
    Examples:
      xio lab down
      xio lab down --dir /tmp/mine
    """
    place = lab_folder.checked(folder)
    click.echo(f"{place} is removed" if lab_folder.remove(place) else f"There is no lab in {place}")


@command.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@_dir
@click.argument("arguments", nargs=-1, required=True, metavar="COMMAND...", type=click.UNPROCESSED)
def run(*, folder: Path, arguments: tuple[str, ...]) -> None:
    """Run a command in the lab, and exit as it does.

    \b
    Examples:
      xio lab run -- sinfo
      xio lab run -- srun --pty -p xio-amd-8-gb-1-cores bash
      xio lab run -- sh -c 'squeue; scontrol show nodes'
    """
    environment = Lab.at(folder).environment
    try:
        os.execvpe(arguments[0], arguments, environment)  # noqa: S606  # the command is the user's own
    except OSError as error:
        raise LabError(f"{arguments[0]}: can't be run: {error.strerror}") from error
