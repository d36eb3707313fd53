"""``xio upgrade``: the installed programs are from now on those of the xio-slurm that runs this."""

from pathlib import Path

import click

from xio_slurm.commands.install import carried_out
from xio_slurm.commands.installation import found, machine_options, must_be_installed, plan_for, site_options
from xio_slurm.commands.output import json_option
from xio_slurm.deploy.installation.layout import Root


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
    """Have the cluster use the xio-slurm that runs this in place of the installed one.

    Make its virtual environment beside the old one, and call this with it: each program changes over at once, between
    two calls; those that run end as they began. Jobs, VMs and ledger stay, and the service is restarted. The same
    with the old one goes back. A file that was edited since it was installed is left as it is.

    \b
    Exit codes: 0 upgraded, or nothing to do, 1 refused or failed, 2 wrong usage.
    \b
    Examples:
      xio upgrade
      /opt/xio-2/bin/xio upgrade --dry-run
      /opt/xio-2/bin/xio upgrade
    """
    machine = Root(root)
    layout, record = found(layout_name, machine)
    plan = plan_for(
        layout,
        machine,
        must_be_installed(record),
        config_path=config_path,
        manifest=manifest,
        slurm_conf=slurm_conf,
        no_systemd=no_systemd,
    )
    carried_out(plan, "upgrade", dry_run=dry_run, as_json=as_json)
