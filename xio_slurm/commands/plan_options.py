"""What ``xio plan`` and ``xio apply`` have in common: their options, the making of the plan, and its showing."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from xio_slurm.commands.check import usual_file
from xio_slurm.commands.output import tell
from xio_slurm.commands.plan_lines import plan_lines
from xio_slurm.commands.slurm_conf import conf_path
from xio_slurm.commands.waiting import waiting
from xio_slurm.config import load
from xio_slurm.deploy.programs import installed_manifest
from xio_slurm.manifest import DEFAULT_PATH
from xio_slurm.plan.plan import Plan, make_plan

_Command = TypeVar("_Command", bound=Callable[..., Any])

_COLOURS: Final = {"+": "green", "-": "red", "~": "yellow", "±": "yellow"}


def plan_options(command: _Command) -> _Command:
    """Give a command the options that say what is planned: the arguments of ``planned``."""
    for option in (
        click.option("--no-aws-checks", is_flag=True, help="Don't ask AWS whether the AMIs of new images will do."),
        click.option("--prune", is_flag=True, help="Remove pools from the environment that the file doesn't have."),
        click.option("--adopt", is_flag=True, help="Take over profiles and an environment that somebody else made."),
        click.option(
            "--slurm-conf",
            metavar="FILE",
            help="The cluster's slurm.conf. "
            "[default: $SLURM_CONF, else /etc/slurm/slurm.conf, else ../etc of SlurmBinDir]",
        ),
        click.option(
            "-o",
            "--output",
            "folder",
            metavar="DIR",
            default=lambda: Path(os.environ.get("XIO_MANIFEST") or installed_manifest() or DEFAULT_PATH).parent,
            show_default=f"$XIO_MANIFEST's, else as installed, else {Path(DEFAULT_PATH).parent}",
            type=click.Path(path_type=Path),
            help="Where node definitions and manifest are.",
        ),
        click.option(
            "-c",
            "--config",
            "config_path",
            metavar="FILE",
            type=click.Path(path_type=Path, readable=False),
            help="The configuration (YAML). [default: $XIO_CONFIG, else etc/xio.yaml, else /etc/xio/xio.yaml]",
        ),
    ):
        command = option(command)
    return command


def planned(
    config_path: Path | None, folder: Path, slurm_conf: str | None, *, adopt: bool, prune: bool, no_aws_checks: bool
) -> tuple[Plan, tuple[str, ...]]:
    """The plan, and what the configuration's check warns of. Raises XioError where nothing can be planned."""
    loaded = load(config_path or usual_file())
    with waiting("looking at the EMS and at Slurm ..."):
        path = conf_path(slurm_conf, loaded.config.plugin.slurm_bin_dir)
        plan = make_plan(loaded.config, folder, path, adopt=adopt, prune=prune, asks_aws=not no_aws_checks)
    return plan, tuple(map(str, loaded.warnings))


def show(plan: Plan, config_warnings: Iterable[str]) -> None:
    """Print the plan on stdout; on stderr its warnings, and why it isn't or mustn't be carried out."""
    for line in plan_lines(plan):
        click.secho(line.text, fg=_COLOURS.get(line.sign))
    tell(config_warnings)
    tell(f"warning: {line}" for line in plan.warnings)
    tell_problems(plan)


def tell_problems(plan: Plan) -> None:
    """Print on stderr why the plan isn't complete, and what of it is refused."""
    if plan.problem is not None:
        tell([f"xio: {plan.problem}", "xio: so what is on the EMS wasn't looked at, and this plan isn't complete"])
    tell(f"xio: {line}" for line in plan.refusals)
