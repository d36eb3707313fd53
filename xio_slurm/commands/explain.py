"""``xio explain``: why a node, a job or a pool is as it is, and what to do."""

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import click

from xio_slurm.commands.ems_options import ems_options, manifest_of
from xio_slurm.commands.output import folded, json_option, tell, with_command
from xio_slurm.desk.story.conclusion import Weight, clock
from xio_slurm.desk.story.looking import look, was_node
from xio_slurm.desk.story.seen import Seen
from xio_slurm.desk.story.subjects import Kind, subject_of
from xio_slurm.desk.story.telling import Story, story
from xio_slurm.desk.story.timeline import Moment
from xio_slurm.plain_text import printable
from xio_slurm.vms.access import ready_to_read

_SHOWN: Final = 40
"""Moments; of more the last."""

_COLORS: Final = {Weight.FINE: "green", Weight.WAITS: "yellow", Weight.STUCK: "red"}


@click.command()
@click.argument("name", metavar="NODE|JOB|POOL")
@click.option("--as", "kind", type=click.Choice(["node", "job", "pool"]), help="What NAME is, where it could be two.")
@click.option(
    "--hours",
    metavar="HOURS",
    type=click.FloatRange(min=0, min_open=True),
    default=24.0,
    show_default=True,
    help="How far back to look.",
)
@click.option("--all", "every", is_flag=True, help=f"All moments, not the last {_SHOWN} alone.")
@ems_options
@json_option("Print one JSON document instead of lines.")
def command(
    *,
    name: str,
    kind: Kind | None,
    hours: float,
    every: bool,
    manifest_path: Path | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Say why a node, a job or a pool is as it is, and what to do.

    The first line is the cause. Then what to do, and what happened until now: by the programs' events, Slurm, the
    ledger, the EMS and what xio sync would do. It changes nothing. Run it as root or as SlurmUser.

    \b
    Exit codes: 0 explained, 1 something couldn't be seen, 2 wrong usage.
    \b
    Examples:
      xio explain 4711                         why doesn't my job begin?
      xio explain 4711_3                       one task of an array
      xio explain xspot-vm-amd-8-gb-1-cores-1  why doesn't the node come up?
      xio explain amd-8-gb-1-cores             why does the pool take no jobs?
    """
    manifest = manifest_of(manifest_path, config_path)
    ready_to_read(manifest)
    since = time.time() - hours * 3600
    subject = subject_of(name, manifest, kind, was_node=lambda node: was_node(manifest, node, since))
    seen = look(manifest, subject, since)
    told = story(seen)
    if as_json:
        click.echo(json.dumps(_document(seen, told), indent=2))
    else:
        _print(seen, told, every=every)
    tell(f"xio: {line}" for line in told.unseen)
    sys.exit(1 if told.unseen else 0)


def _print(seen: Seen, told: Story, *, every: bool) -> None:
    conclusion = told.conclusion
    click.secho(folded(f"{_sentence(printable(conclusion.cause))}.", ""), fg=_COLORS[conclusion.weight], bold=True)
    click.echo("\nWhat to do:")
    for line in conclusion.todo:
        words, *command = with_command(printable(line))
        click.echo(folded(f"  {words}", " " * 6))
        for each in command:
            click.echo(f"  {each}")
    left = 0 if every else max(0, len(told.moments) - _SHOWN)
    click.echo("\nWhat happened:")
    if left:
        click.echo(f"  ({left} earlier moments: --all)")
    for line in _lines(told.moments[left:], seen.time):
        click.echo(line)


def _sentence(words: str) -> str:
    """Begins large, unless with a name."""
    first = words.split(" ", 1)[0].rstrip(":,")
    return words[0].upper() + words[1:] if first.isalpha() and first != "xio" else words


def _lines(moments: Iterable[Moment], now: float) -> Iterable[str]:
    rows = [("now" if moment.time == now else clock(moment.time, now), moment) for moment in moments]
    stamps = max((len(stamp) for stamp, _ in rows), default=0)
    sources = max((len(moment.source) for _, moment in rows), default=0)
    for stamp, moment in rows:
        before = f"  {stamp:<{stamps}}  {moment.source:<{sources}}  "
        yield folded(f"{before}{printable(moment.words)}", " " * len(before))


def _document(seen: Seen, told: Story) -> dict[str, Any]:
    return {
        "about": {"kind": seen.subject.kind, "name": seen.subject.name},
        "time": seen.time,
        "cause": told.conclusion.cause,
        "weight": told.conclusion.weight.name.lower(),
        "todo": [*told.conclusion.todo],
        "timeline": [{"time": each.time, "source": each.source, "text": each.words} for each in told.moments],
        "complete": not told.unseen,
        "errors": [*told.unseen],
    }
