"""``xio uninstall``: the machine is as it was before ``xio install``."""

import json
import sys
from pathlib import Path

import click

from xio_slurm.commands.installation import (
    edited,
    found,
    machine_options,
    must_be_installed,
    show_change,
    systemd_of,
)
from xio_slurm.commands.output import json_option, tell
from xio_slurm.deploy.installation.decide import done
from xio_slurm.deploy.installation.layout import Root
from xio_slurm.deploy.installation.uninstall import UninstallPlan, plan_uninstall, uninstall
from xio_slurm.plan.include_line import take_include


@click.command()
@click.option("--purge", is_flag=True, help="Take StateDir and LogDir away, too, if install made them.")
@click.option("--force", is_flag=True, help="Even while there are VMs, or slurmctld runs with our nodes.")
@machine_options
@json_option("Print one JSON document instead of lines.")
def command(
    *,
    purge: bool,
    force: bool,
    layout_name: str | None,
    root: Path,
    no_systemd: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take away what 'xio install' and 'xio apply' have put on this machine, and put back what was there.

    slurm.conf loses the include line. Files that were edited since are left. Ledger and logs stay unless --purge is
    given, and so do the virtual environment and what is on the EMS. Refused while VMs of ours run, or slurmctld with
    our nodes: it would lose them at its next start. Stop it first; running jobs go on.

    \b
    Exit codes: 0 uninstalled, 1 refused or failed, 2 wrong usage.
    \b
    Examples:
      xio uninstall --dry-run
      xio uninstall
      xio uninstall --purge
    """
    machine = Root(root)
    layout, record = found(layout_name, machine)
    systemd = systemd_of(machine, no_systemd=no_systemd)
    plan = plan_uninstall(layout, machine, systemd, must_be_installed(record), purge=purge)
    refusals = () if force or dry_run else plan.refusals
    doing = not (dry_run or refusals)
    left = uninstall(plan, lambda: _unhook(plan)) if doing else ()
    outcome = "refused" if refusals else "uninstalled" if doing else "would uninstall"
    warnings = (*edited(plan.changes), *(plan.refusals if force or dry_run else ()))
    next_steps = _next_steps(plan) if doing else ()
    if as_json:
        document = {
            "outcome": outcome,
            "files": [{"path": change.path, "action": change.action.name.lower()} for change in plan.changes],
            "purged": list(plan.purged),
            "left": list(left),
            "next": list(next_steps),
            "warnings": list(warnings),
            "errors": list(refusals),
        }
        click.echo(json.dumps(document, indent=2))
    else:
        _show(plan, left, next_steps, doing=doing)
    tell(f"warning: {line}" for line in warnings)
    tell(f"xio: {line}" for line in refusals)
    sys.exit(1 if refusals else 0)


def _unhook(plan: UninstallPlan) -> None:
    if plan.conf is not None:
        take_include(plan.conf, plan.node_definitions)


def _show(plan: UninstallPlan, left: tuple[str, ...], next_steps: tuple[str, ...], *, doing: bool) -> None:
    if plan.conf is not None:
        click.secho(f"~ {plan.conf.path}: without the line 'include {plan.node_definitions}'", fg="yellow")
    for change in done(plan.changes):
        show_change(change)
    for path in plan.purged:
        click.secho(f"- {path}: removed with all that is in it", fg="red")
    for line in left:
        click.echo(line)
    click.echo("uninstalled" if doing else "nothing was changed")
    for line in next_steps:
        click.echo(f"next: {line}")


def _next_steps(plan: UninstallPlan) -> tuple[str, ...]:
    """What only people can do."""
    if not plan.root.is_machine:
        return ()
    steps = [f"the virtual environment of {plan.record.interpreter} stays: delete it if nothing else uses it"]
    if plan.conf is not None:
        steps.insert(0, "start slurmctld: it doesn't know our nodes any more")
    if plan.record.service is False:
        steps.insert(0, "end 'xio sync', where something else than systemd runs it")
    return tuple(steps)
