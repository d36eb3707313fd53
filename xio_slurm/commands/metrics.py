"""``xio metrics``: what Prometheus is told of the pools."""

import sys
import time
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Final

import click

from xio_slurm.commands.as_slurm_user import printed
from xio_slurm.commands.ems_options import ems_options, manifest_of
from xio_slurm.commands.output import tell
from xio_slurm.commands.whole_file import replace_whole
from xio_slurm.desk.metrics.exposition import exposition
from xio_slurm.desk.metrics.families import families
from xio_slurm.desk.metrics.store import totals_now
from xio_slurm.desk.status import status_of
from xio_slurm.desk.status_look import look
from xio_slurm.errors import XioError
from xio_slurm.vms.access import ready_to_write

_SECONDS: Final = 120.0
"""That it may take: Slurm, the EMS and the lock are waited for a few seconds each."""


@click.command()
@click.option(
    "--output",
    "path",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Replace FILE as a whole, readable for all: for node_exporter's textfile collector.",
)
@ems_options
def command(*, path: Path | None, manifest_path: Path | None, config_path: Path | None) -> None:
    """Print the pools' metrics for Prometheus, as OpenMetrics text.

    Nodes by state, VMs, mismatches and gates as they are now; VMs asked for, refused and deleted, and how long they
    took to boot, counted since the beginning. 'xio sync' serves the same where MetricsAddress is set. Run it as root
    or as SlurmUser.

    \b
    Exit codes: 0 fine, 1 something couldn't be found out, 2 wrong usage.
    \b
    Examples:
      xio metrics
      xio metrics --output /var/lib/prometheus/node-exporter/xio.prom
      xio metrics | promtool check metrics
    """
    if path is not None:
        sys.exit(_write(path, manifest_path, config_path))
    manifest = manifest_of(manifest_path, config_path)
    ready_to_write(manifest)
    totals, problems = totals_now(manifest, time.time())
    status = status_of(manifest, look(manifest), {}, problems)
    click.echo(exposition(families(manifest, status, totals)), nl=False)
    tell(f"xio: {problem}" for problem in status.problems)
    sys.exit(1 if status.problems else 0)


def _write(path: Path, manifest_path: Path | None, config_path: Path | None) -> int:
    try:
        made = printed("metrics", manifest_path=manifest_path, config_path=config_path, timeout=_SECONDS)
    except TimeoutExpired:
        raise XioError(f"{path}: stays as it was: looking took more than {_SECONDS:g} s") from None
    if made.stdout:
        replace_whole(path, made.stdout)
    return made.returncode
