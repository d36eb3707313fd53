"""``xio status``: how all pools are, on one screen."""

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any, Final

import click

from xio_slurm.commands.ems_options import ems_options, manifest_of
from xio_slurm.commands.interruption import interrupting
from xio_slurm.commands.output import json_option, table_console
from xio_slurm.commands.status_table import screen
from xio_slurm.desk.boot_times import RecentBoots
from xio_slurm.desk.status import STATES, PoolStatus, Status, status_of
from xio_slurm.desk.status_look import look
from xio_slurm.manifest import Manifest
from xio_slurm.vms.access import ready_to_read

_REDRAWN: Final = 2.0


@click.command()
@click.option("--watch", is_flag=True, help="Look again every two seconds, until Ctrl-C.")
@click.option("--all", "every", is_flag=True, help="A line for every pool, however many lines that takes.")
@ems_options
@json_option("Print one JSON document instead of a table: every pool.")
def command(*, watch: bool, every: bool, manifest_path: Path | None, config_path: Path | None, as_json: bool) -> None:
    """Show how the pools are: their nodes by state, their VMs, and what is odd.

    Where something goes on comes first; what has no room on the screen is summed up. Run it as root or as SlurmUser.

    \b
    off      powered down, ready for a job
    boot     powering up; oldest: since when the first of them is waited for
    up       registered; of these busy and idle
    end      powering down
    fail     couldn't come up, or its VM is gone
    clsd     out of use with its pool
    out      taken out of use by an administrator (sinfo -R says why)
    hid      not shown by Slurm (PrivateData=cloud before 23.02)
    VMs      in the EMS, of the nodes' names
    diff     nodes about which 'xio sync' would do something
    p50 p95  so long half, and 95 of 100, of the last 24 hours' VMs took to boot

    \b
    Exit codes: 0 fine, 1 something couldn't be found out, 2 wrong usage.
    \b
    Examples:
      xio status
      xio status --watch
      xio status --json | jq '.pools[] | select(.mismatches > 0)'
    """
    if watch and as_json:
        raise click.UsageError("--watch and --json exclude each other: give one of them")
    if watch and not sys.stdout.isatty():
        raise click.UsageError("--watch is for a terminal; for programs there are --json and 'xio metrics'")
    manifest = manifest_of(manifest_path, config_path)
    ready_to_read(manifest)
    boots = RecentBoots(manifest.log_dir)
    if watch:
        _watch(manifest, boots, every=every)
    status = _status(manifest, boots)
    if as_json:
        click.echo(json.dumps(_document(status), indent=2))
    else:
        console = table_console()
        console.print(screen(status, width=_width(), height=None if every else _height()))
    sys.exit(1 if status.problems else 0)


def _watch(manifest: Manifest, boots: RecentBoots, *, every: bool) -> None:
    """Go on until KeyboardInterrupt."""
    from rich.live import Live  # noqa: PLC0415  one look needs none

    with interrupting(), Live(console=table_console(), auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            began = time.monotonic()
            status = _status(manifest, boots)
            live.update(screen(status, width=_width(), height=None if every else _height()), refresh=True)
            time.sleep(max(0.1, _REDRAWN - (time.monotonic() - began)))


def _status(manifest: Manifest, boots: RecentBoots) -> Status:
    seen = look(manifest)
    recent, problems = boots.look(seen.time)
    return status_of(manifest, seen, recent, problems)


def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _height() -> int:
    return shutil.get_terminal_size().lines


def _document(status: Status) -> dict[str, Any]:
    return {
        "complete": not status.problems,
        "time": status.time,
        "sync": status.synced,
        "pools": [_pool(pool) | {"pool": pool.pool} for pool in status.pools],
        "total": _pool(status.total),
        "lost_nodes": status.lost,
        "errors": list(status.problems),
    }


def _pool(pool: PoolStatus) -> dict[str, Any]:
    boots, oldest, breaker = pool.boots, pool.oldest, pool.breaker
    return {
        "size": pool.size,
        "gate": breaker.gate.value,
        "cause": breaker.cause or None,
        "reason": breaker.text or None,
        "until": breaker.until,
        "nodes": None if pool.nodes is None else {name: pool.nodes.get(name, 0) for name in STATES},
        "vms": pool.vms,
        "mismatches": pool.mismatches,
        "orphans": pool.orphans,
        "foreign": pool.foreign,
        "boots": None if boots is None else {"count": boots.count, "p50": boots.p50, "p95": boots.p95},
        "oldest_booting": None
        if oldest is None
        else {"node": oldest.node, "seconds": round(oldest.seconds, 1), "deadline": oldest.deadline},
    }
