"""``xio install``: programs, service, log rotation and folders, where a cluster needs them."""

import json
import sys
from pathlib import Path
from typing import Any, Final

import click

from xio_slurm.commands.installation import (
    edited,
    found,
    machine_options,
    plan_for,
    show_change,
    site_options,
)
from xio_slurm.commands.output import json_option, tell
from xio_slurm.deploy.installation.install import install
from xio_slurm.deploy.installation.install_plan import InstallPlan
from xio_slurm.deploy.installation.layout import LAYOUTS, Root
from xio_slurm.deploy.installation.site import faults
from xio_slurm.errors import DeployError

_DONE: Final = {"install": "installed", "upgrade": "upgraded"}


@click.command()
@site_options
@machine_options
@json_option("Print one JSON document instead of lines.")
def command(
    *,
    config_path: Path | None,
    manifest: str | None,
    slurm_conf: str | None,
    layout_name: str | None,
    root: Path,
    no_systemd: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put programs, service, log rotation and folders where a cluster needs them.

    The programs that slurmctld calls, which name this installation's Python and the cluster's manifest; 'xio' for
    everybody's PATH; the service 'xio sync'; logrotate's file; StateDir and LogDir, which are SlurmUser's. All of it
    or nothing. What is replaced is kept, and 'xio uninstall' puts it back. Run it as root on every controller.

    plain: programs in /usr/local/sbin, the manifest in /etc/xio. parallelcluster: both in /opt/slurm/etc/exostellar.

    \b
    Exit codes: 0 installed, or nothing to do, 1 refused or failed, 2 wrong usage.
    \b
    Examples:
      xio install --dry-run
      xio install
      xio install -c /etc/xio/xio.yaml --slurm-conf /opt/slurm/etc/slurm.conf
      xio install --root /tmp/package --layout plain
    """
    machine = Root(root)
    layout, old = found(layout_name, machine)
    plan = plan_for(
        layout,
        machine,
        old,
        config_path=config_path,
        manifest=manifest,
        slurm_conf=slurm_conf,
        no_systemd=no_systemd,
    )
    if plan.is_upgrade:
        raise DeployError("another xio-slurm, or one for other folders, is installed here: xio upgrade")
    carried_out(plan, "install", dry_run=dry_run, as_json=as_json)


def carried_out(plan: InstallPlan, verb: str, *, dry_run: bool, as_json: bool) -> None:
    """Do it unless it is only to be shown, tell it, and exit."""
    refusals = () if plan.unchanged or not plan.root.is_machine else faults(plan.site)
    doing = not (dry_run or plan.unchanged or refusals)
    if doing:
        install(plan)
    outcome = "refused" if refusals else "unchanged" if plan.unchanged else _DONE[verb] if doing else f"would {verb}"
    next_steps = _next_steps(plan, verb) if not refusals else ()
    if as_json:
        click.echo(json.dumps(_document(plan, outcome, refusals, next_steps), indent=2))
    else:
        _show(plan, verb, next_steps, doing=doing, refused=bool(refusals))
    tell(f"warning: {line}" for line in edited(plan.changes))
    tell(f"xio: {line}" for line in refusals)
    sys.exit(1 if refusals else 0)


def _show(plan: InstallPlan, verb: str, next_steps: tuple[str, ...], *, doing: bool, refused: bool) -> None:
    for folder in plan.folders:
        owner = f", {folder.owner}'s" if folder.owner is not None else ""
        click.secho(f"+ {folder.path}: new folder ({folder.mode:o}{owner})", fg="green")
    for change in plan.changes:
        show_change(change)
    if plan.unchanged:
        click.echo(f"nothing to do: xio-slurm {plan.new.version} of {plan.new.interpreter} is installed")
    elif doing:
        click.echo(f"{_DONE[verb]}: xio-slurm {plan.new.version}")
    else:
        click.echo("nothing was changed")
    if not refused:
        for line in next_steps:
            click.echo(f"next: {line}")


def _next_steps(plan: InstallPlan, verb: str) -> tuple[str, ...]:
    if plan.unchanged or not plan.root.is_machine:
        return ()
    where = f" --slurm-conf {plan.site.slurm_conf}" if plan.site.layout.name != LAYOUTS["plain"].name else ""
    steps = [f"xio apply{where}" if verb == "install" else f"xio plan{where}"]
    if plan.systemd is None:
        steps.append(
            f"no systemd is used here: have something else run this as {plan.site.slurm_user}, and restart it:"
            f" {plan.site.interpreter} -I -m xio_slurm.commands sync --manifest {plan.site.manifest}"
        )
    return tuple(steps)


def _document(
    plan: InstallPlan, outcome: str, refusals: tuple[str, ...], next_steps: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "layout": plan.site.layout.name,
        "programs": plan.site.programs,
        "manifest": plan.site.manifest,
        "interpreter": plan.site.interpreter,
        "slurm_user": plan.site.slurm_user,
        "files": [{"path": change.path, "action": change.action.name.lower()} for change in plan.changes],
        "folders": [folder.path for folder in plan.folders],
        "restarts_sync": plan.restarts and not plan.unchanged,
        "next": list(next_steps),
        "warnings": list(edited(plan.changes)),
        "errors": list(refusals),
    }
