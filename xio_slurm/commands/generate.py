"""``xio generate``: configuration → node definitions and manifest."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import click

from xio_slurm.commands.output import json_option, tell
from xio_slurm.commands.slurm_conf import conf_path
from xio_slurm.commands.waiting import waiting
from xio_slurm.config import load
from xio_slurm.deploy.generation import Generation, prepare
from xio_slurm.deploy.publish import MANIFEST, NODE_DEFINITIONS, Outcome, publish
from xio_slurm.deploy.verify import verify

_COLOURS: Final = {"+": "green", "-": "red"}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-c",
    "--config",
    "config_path",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path, readable=False),
    help="The configuration (YAML).",
)
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path),
    help="Where the two files go; made if need be.",
)
@click.option(
    "--slurm-conf",
    metavar="FILE",
    help="The cluster's slurm.conf. [default: $SLURM_CONF, else /etc/slurm/slurm.conf, else ../etc of SlurmBinDir]",
)
@click.option("--verify", "verifies", is_flag=True, help="First prove the new files in a throw-away slurmctld.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--yes", is_flag=True, help="Write even where it could hurt the running cluster.")
@json_option("Print one JSON document instead of lines.")
def command(
    *, config_path: Path, folder: Path, slurm_conf: str | None, verifies: bool, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Compile a configuration into the two files that a cluster runs on.

    DIR/xio.nodes.conf, the node definitions, is what slurm.conf includes; DIR/manifest.json tells xio-resume and
    xio-suspend about these nodes. They are written both or neither, and not touched if nothing changed. Needs no EMS
    and no Slurm; where there is a slurm.conf, duplicates of its nodes and partitions are refused.

    \b
    Exit codes: 0 written or unchanged, 1 refused or failed, 2 wrong usage.
    \b
    Examples:
      xio generate -c etc/xio.yaml -o /etc/xio
      xio generate -c etc/xio.yaml -o /etc/xio --verify
      xio generate -c etc/xio.yaml -o /etc/xio --dry-run
      xio generate -c etc/xio.yaml -o . --slurm-conf /opt/slurm/etc/slurm.conf
    """
    loaded = load(config_path)
    tell(map(str, loaded.warnings))
    with waiting("asking Slurm about its version and running jobs ..."):
        generation = prepare(loaded.config, folder, conf_path(slurm_conf, loaded.config.plugin.slurm_bin_dir))
    refusals = (*generation.conflicts.errors, *(() if yes or dry_run else _insist(generation.objections)))
    warnings = [*generation.warnings, *(generation.objections if yes or dry_run else ())]
    if not as_json:
        _show(generation)
    if verifies and not refusals:
        with waiting("proving the new files in a throw-away slurmctld ..."):
            warnings += verify(generation.ours, generation.conf, loaded.config.plugin.slurm_bin_dir).warnings
    outcome = "refused" if refusals else _write(generation, dry_run=dry_run)
    if as_json:
        found = [*map(str, loaded.warnings), *warnings]
        click.echo(json.dumps(_document(generation, outcome, found, refusals, verified=verifies), indent=2))
    else:
        tell(f"warning: {line}" for line in warnings)
        _conclude(generation, outcome, verified=verifies and not refusals)
    tell(f"xio: {line}" for line in refusals)
    if refusals:
        sys.exit(1)


def _write(generation: Generation, *, dry_run: bool) -> str:
    if dry_run:
        return "unchanged" if generation.unchanged else "would write"
    with waiting(f"waiting for another xio generate of {generation.folder} ..."):
        outcome = publish(generation.folder, generation.compiled)
    return "unchanged" if outcome is Outcome.UNCHANGED else "wrote"


def _insist(objections: Iterable[str]) -> Iterator[str]:
    return (f"{line} (--yes writes all the same)" for line in objections)


def _show(generation: Generation) -> None:
    for note in generation.delegation.notes:
        click.echo(note)
    for change in generation.difference.changes:
        click.secho(change.text, fg=_COLOURS.get(change.text[0]))


def _conclude(generation: Generation, outcome: str, *, verified: bool) -> None:
    if verified:
        click.echo("verified: slurmctld takes the new node definitions")
    which = "nothing was written" if outcome == "refused" else f"{generation.folder / NODE_DEFINITIONS} and {MANIFEST}"
    click.echo(f"{outcome}: {which}")
    for line in generation.advice:
        click.echo(f"Slurm: {line}")
    for line in generation.next_steps:
        click.echo(f"next: {line}")


def _document(
    generation: Generation, outcome: str, warnings: list[str], errors: tuple[str, ...], *, verified: bool
) -> dict[str, object]:
    jobs = generation.survey.jobs
    version = generation.survey.version
    return {
        "outcome": outcome,
        "node_definitions": str(generation.folder / NODE_DEFINITIONS),
        "manifest": str(generation.folder / MANIFEST),
        "verified": verified and not errors,
        "changes": [{"kind": change.kind.value, "text": change.text} for change in generation.difference.changes],
        "removed_nodes": list(generation.difference.removed_nodes),
        "running_jobs": None
        if jobs is None
        else [{"id": job.id, "user": job.user, "state": job.state, "nodes": list(job.nodes)} for job in jobs],
        "slurm_version": None if version is None else str(version),
        "advice": list(generation.advice),
        "next": list(generation.next_steps),
        "warnings": warnings,
        "errors": list(errors),
    }
