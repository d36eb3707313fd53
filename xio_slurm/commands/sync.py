"""``xio sync``: the service that makes Slurm, the EMS and the ledger agree."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from xio_slurm.commands.ems_options import manifest_option, path_of
from xio_slurm.commands.output import json_option, table_console, tell
from xio_slurm.desk.metrics.service import MetricsService
from xio_slurm.manifest import Manifest
from xio_slurm.power.state_owner import become_owner
from xio_slurm.power.sync.one_pass import look_only
from xio_slurm.power.sync.proposals import Proposal
from xio_slurm.power.sync.service import once, serve
from xio_slurm.slurm.hostlist import fold


@click.command()
@click.option("--once", "only_once", is_flag=True, help="One pass, with a second look where one is needed.")
@click.option("--dry-run", is_flag=True, help="Show what would be done and why, by one look; change nothing.")
@manifest_option
@json_option("With --dry-run: print one JSON document.")
def command(*, only_once: bool, dry_run: bool, manifest_path: Path | None, as_json: bool) -> None:
    """Make true what Slurm wants of its nodes, whatever failed.

    Looks at Slurm, at the EMS and at the ledger, again and again. Finishes deletes, finds VMs that nobody wants and
    nodes that don't come up, asks for VMs that were never made, tells Slurm addresses, opens and closes pools. What
    can't be taken back is done after two looks. A VM that isn't ours by the ledger is told of, and never touched.

    systemd runs it on every controller: one leads, the others stand by. By hand run it as root or as SlurmUser.

    \b
    Exit codes: 0 fine, 1 a problem told in one line each, 2 wrong usage.
    \b
    Examples:
      xio sync --dry-run      what would it do now, and why?
      xio sync --once         put things right, and end
      xio sync                the service itself
    """
    if as_json and not dry_run:
        raise click.UsageError("--json is for --dry-run: what is done stands in the log and in events.jsonl")
    if only_once and dry_run:
        raise click.UsageError("--once and --dry-run exclude each other: give one of them")
    path = path_of(manifest_path)
    if dry_run:
        _show(path, as_json=as_json)
    elif only_once:
        sys.exit(1 if once(path) else 0)
    else:
        serve(path, MetricsService().after_pass)


def _show(path: str, *, as_json: bool) -> None:
    manifest = Manifest.read(path)
    if os.path.isdir(manifest.state_dir):  # noqa: PTH112 (Path.is_dir raises in a closed one)
        become_owner(manifest.state_dir)
    proposals, problems = look_only(manifest)
    if as_json:
        document = {"complete": not problems, "actions": [*map(_document, proposals)], "errors": list(problems)}
        click.echo(json.dumps(document, indent=2))
    elif proposals:
        table_console().print(_table(proposals))
    else:
        click.echo("Nothing is to be done.")
    tell(f"xio: {line}" for line in problems)
    if problems:
        sys.exit(1)


def _document(proposal: Proposal) -> dict[str, Any]:
    return {
        "node": proposal.node,
        "pool": proposal.pool or None,
        "action": proposal.action.value,
        "why": proposal.why,
        "needs_two_looks": proposal.needs_two_looks,
    }


def _table(proposals: Iterable[Proposal]) -> Table:
    alike: dict[tuple[str, str, bool], list[str]] = {}
    for proposal in proposals:
        words = (str(proposal.action.value), proposal.why, proposal.needs_two_looks)
        alike.setdefault(words, []).append(proposal.node)
    made = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Nodes", "What", "When", "Why"):
        made.add_column(title, overflow="fold")
    for (what, why, twice), nodes in alike.items():
        made.add_row(fold(nodes), what, "after a second look" if twice else "now", why)
    return made
