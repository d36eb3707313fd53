"""What ``xio install``, ``upgrade`` and ``uninstall`` have in common: which machine, and how it is told."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from xio_slurm.config import Config, load
from xio_slurm.deploy.installation.decide import Action, Change
from xio_slurm.deploy.installation.install_plan import InstallPlan, plan_install
from xio_slurm.deploy.installation.layout import LAYOUTS, Layout, Root, fitting
from xio_slurm.deploy.installation.record import Installed
from xio_slurm.deploy.installation.site import site_of
from xio_slurm.deploy.installation.systemd import Systemd, systemd_runs
from xio_slurm.errors import DeployError

_Command = TypeVar("_Command", bound=Callable[..., Any])
_USUAL_CONFIG: Final = "/etc/xio/xio.yaml"
_SIGNS: Final = {
    Action.CREATE: "+",
    Action.REPLACE: "~",
    Action.UPDATE: "~",
    Action.RESTORE: "~",
    Action.REMOVE: "-",
}
_COLOURS: Final = {"+": "green", "~": "yellow", "-": "red"}


def machine_options(command: _Command) -> _Command:
    """Give a command ``--layout``, ``--root``, ``--no-systemd`` and ``--dry-run``."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Show what would be done; change nothing."),
        click.option("--no-systemd", is_flag=True, help="Leave systemd alone, as where it doesn't run."),
        click.option(
            "--root",
            metavar="DIR",
            default="/",
            type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
            help="In place of /, as packagers' DESTDIR.",
        ),
        click.option(
            "--layout",
            "layout_name",
            type=click.Choice([*LAYOUTS]),
            help="The kind of cluster. [default: as it looks]",
        ),
    ):
        command = option(command)
    return command


def site_options(command: _Command) -> _Command:
    """Give a command the options that say what the cluster is like."""
    for option in (
        click.option(
            "--slurm-conf",
            metavar="FILE",
            help="The cluster's slurm.conf. [default: $SLURM_CONF, else the layout's]",
        ),
        click.option("--manifest", metavar="FILE", help="The manifest of the programs. [default: the layout's]"),
        click.option(
            "-c",
            "--config",
            "config_path",
            metavar="FILE",
            type=click.Path(path_type=Path, readable=False),
            help="The configuration: StateDir, LogDir, ProgramDir. "
            f"[default: {_USUAL_CONFIG}, else the manifest, else the usual folders]",
        ),
    ):
        command = option(command)
    return command


def found(layout_name: str | None, root: Root) -> tuple[Layout, Installed | None]:
    """The layout, and the record of what is installed. Raises DeployError."""
    for layout in (LAYOUTS[layout_name],) if layout_name is not None else LAYOUTS.values():
        record = Installed.read(root.at(layout.record))
        if record is not None:
            return layout, record
    return LAYOUTS[layout_name] if layout_name else fitting(lambda path: root.at(path).exists()), None


def systemd_of(root: Root, *, no_systemd: bool) -> Systemd | None:
    """systemd, if it is this machine's and to be used."""
    return Systemd() if root.is_machine and not no_systemd and systemd_runs() else None


def plan_for(
    layout: Layout,
    root: Root,
    old: Installed | None,
    *,
    config_path: Path | None,
    manifest: str | None,
    slurm_conf: str | None,
    no_systemd: bool,
) -> InstallPlan:
    """What would be done, for what the options say, else what is installed, else as usual. Raises XioError."""
    own = os.environ.get("SLURM_CONF") if root.is_machine else None
    systemd = systemd_of(root, no_systemd=no_systemd)
    site = site_of(
        layout,
        root,
        old,
        _config(config_path, root),
        slurm_conf=slurm_conf or (old.slurm_conf if old is not None else own or layout.slurm_conf),
        manifest=manifest or (old.manifest if old is not None else layout.manifest),
        service=systemd is not None or not (root.is_machine or no_systemd),
    )
    return plan_install(site, root, systemd, old)


def _config(path: Path | None, root: Root) -> Config | None:
    usual = root.at(_USUAL_CONFIG)
    if path is None and not usual.is_file():
        return None
    return load(path or usual).config


def show_change(change: Change, verb: str = "") -> None:
    """Print what is done about a file, if anything is."""
    if sign := _SIGNS.get(change.action):
        click.secho(f"{sign} {change.path}: {verb or change.action.value}", fg=_COLOURS[sign])


def edited(changes: Iterable[Change]) -> tuple[str, ...]:
    """A line for each file that somebody has edited."""
    return tuple(f"{change.path}: {Action.EDITED.value}" for change in changes if change.action is Action.EDITED)


def must_be_installed(record: Installed | None) -> Installed:
    """The record. Raises DeployError where there is none."""
    if record is None:
        raise DeployError("nothing is installed here by 'xio install'")
    return record
