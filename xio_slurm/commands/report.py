"""``xio report``: what happened in a period, as a page for people."""

import json
import os
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

import click

from xio_slurm.commands.as_slurm_user import printed
from xio_slurm.commands.ems_options import ems_options, manifest_of
from xio_slurm.commands.interruption import ended_at_once
from xio_slurm.commands.output import json_option, tell
from xio_slurm.commands.period import time_of
from xio_slurm.commands.waiting import waiting
from xio_slurm.commands.whole_file import replace_whole
from xio_slurm.desk.event_log import read_events
from xio_slurm.desk.report.document import document
from xio_slurm.desk.report.figures import Figures, Period
from xio_slurm.desk.report.gathering import LOOK_BACK, Gathering
from xio_slurm.errors import EventsError, LedgerError
from xio_slurm.ledger import Entry, Ledger
from xio_slurm.manifest import Manifest
from xio_slurm.vms.access import ready_to_read

_FILE: Final = "xio-report.html"
_STDOUT: Final = "-"


@click.command()
@click.option(
    "--since",
    metavar="WHEN",
    default="7d",
    show_default=True,
    help="Where the period begins: so long ago (90m, 24h, 7d), or a time (2026-11-22, 2026-11-22T09:00).",
)
@click.option("--until", metavar="WHEN", help="Where it ends, in the same way. [default: now]")
@click.option(
    "-o",
    "--output",
    "path",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help=f"The page; - is stdout. [default: {_FILE} in the current folder]",
)
@ems_options
@json_option("Print the figures as one JSON document instead of the page.")
def command(
    *,
    since: str,
    until: str | None,
    path: str | None,
    manifest_path: Path | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Write a page that says what happened: VMs over time, boots, failures, cost.

    One HTML file that needs no other and no network: to be mailed, printed or put on a web server. Its figures come
    from the programs' events and the ledger; the cost from VmHourPrices of the configuration. It asks neither Slurm
    nor the EMS and changes nothing. Run it as root or as SlurmUser.

    \b
    Exit codes: 0 written, 1 something couldn't be read, 2 wrong usage.
    \b
    Examples:
      xio report
      xio report --since 24h -o /var/www/html/xio.html
      xio report --since 2026-11-01 --until 2026-12-01 -o november.html
      xio report --since 30d --json | jq '.pools[] | {pool, vm_hours, cost}'
    """
    if as_json and path not in {None, _STDOUT}:
        raise click.UsageError("--json prints on stdout: give no file")
    now = time.time()
    end = now if until is None else min(now, time_of(until, now, "--until"))
    period = Period(time_of(since, now, "--since"), end)
    if period.until - period.since < 1:
        raise click.UsageError("--since must be earlier than now and --until")
    to_stdout = as_json or path == _STDOUT
    if not to_stdout and os.geteuid() == 0:
        sys.exit(_write_as_root(Path(path or _FILE), period, manifest_path, config_path))
    manifest = manifest_of(manifest_path, config_path)
    ready_to_read(manifest)
    with ended_at_once("interrupted: nothing was written"), _told_of():
        figures = _figures(manifest, period, now)
        text = json.dumps(document(figures), indent=2) if as_json else _page(figures)
    if to_stdout:
        click.echo(text)
    else:
        _write(Path(path or _FILE), text.encode())
    tell(f"xio: {problem}" for problem in figures.problems)
    sys.exit(1 if figures.problems else 0)


def _figures(manifest: Manifest, period: Period, now: float) -> Figures:
    gathering = Gathering(manifest, period, now)
    problems: list[str] = []
    try:
        gathering.fold(read_events(manifest.log_dir, period.since - LOOK_BACK))
    except EventsError as error:
        problems.append(str(error))
    entries: dict[str, Entry] | None = None
    try:
        entries = {entry.node: entry for entry in Ledger(manifest.state_dir).entries()}
    except LedgerError as error:
        problems.append(f"{error}: VMs whose end isn't noted count as if they still ran")
    return gathering.figures(entries, problems)


def _page(figures: Figures) -> str:
    # Loaded here: --help and --json need no template.
    from xio_slurm.desk.report.page import page  # noqa: PLC0415

    return page(figures)


def _told_of() -> AbstractContextManager[None]:
    return waiting("reading the events ...") if sys.stderr.isatty() else nullcontext()


def _write_as_root(path: Path, period: Period, manifest_path: Path | None, config_path: Path | None) -> int:
    times = (f"--since={_iso(period.since)}", f"--until={_iso(period.until)}")
    made = printed("report", *times, "-o", _STDOUT, manifest_path=manifest_path, config_path=config_path)
    if made.stdout:
        _write(path, made.stdout)
    return made.returncode


def _iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1e6):06d}+00:00"


def _write(path: Path, page: bytes) -> None:
    replace_whole(path, page)
    click.echo(f"{click.format_filename(path)}: written ({max(1, len(page) // 1024)} KiB)")
