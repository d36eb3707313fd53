"""``xio plan``: what would ``xio apply`` do?"""

import json
import sys
from pathlib import Path
from typing import Final

import click

from xio_slurm.commands.interruption import ended_at_once
from xio_slurm.commands.output import json_option
from xio_slurm.commands.plan_document import plan_document
from xio_slurm.commands.plan_options import plan_options, planned, show, tell_problems
from xio_slurm.plan.plan import Plan

_CHANGES: Final = 2


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@plan_options
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes to make.")
@json_option("Print one JSON document instead of lines.")
def command(
    *,
    config_path: Path | None,
    folder: Path,
    slurm_conf: str | None,
    adopt: bool,
    prune: bool,
    no_aws_checks: bool,
    detailed_exitcode: bool,
    as_json: bool,
) -> None:
    """Show what 'xio apply' would change on the EMS and in Slurm, and change nothing.

    Images, profiles and the environment on the EMS, field by field; the node definitions and the manifest in DIR; and
    slurm.conf's include line. What is on the EMS and in no configuration is only mentioned.

    \b
    Exit codes: 0 fine, 1 an error or something is refused, 2 wrong usage;
    with --detailed-exitcode: 0 nothing to do, 2 changes to make.
    \b
    Examples:
      xio plan
      xio plan -c my.yaml -o /etc/xio --slurm-conf /opt/slurm/etc/slurm.conf
      xio plan --detailed-exitcode --json
    """
    with ended_at_once():
        plan, config_warnings = planned(
            config_path, folder, slurm_conf, adopt=adopt, prune=prune, no_aws_checks=no_aws_checks
        )
        if as_json:
            click.echo(json.dumps({**plan_document(plan), "config_warnings": config_warnings}, indent=2))
            tell_problems(plan)
        else:
            show(plan, config_warnings)
            for line in plan.slurm.forgotten_steps:
                click.echo(f"next: {line}")
    sys.exit(_exit_code(plan, detailed=detailed_exitcode))


def _exit_code(plan: Plan, *, detailed: bool) -> int:
    if plan.problem is not None or plan.refusals:
        return 1
    return _CHANGES if detailed and plan.changes else 0
