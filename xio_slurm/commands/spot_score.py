"""``xio spot-score``: where is spot capacity to be had for what I have configured?"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from xio_slurm.aws.spot_scores import MIN_TYPES, Scored, Wish, spot_scores, without_priorities
from xio_slurm.commands.check import usual_file
from xio_slurm.commands.output import json_option
from xio_slurm.commands.waiting import waiting
from xio_slurm.config import Config, load
from xio_slurm.errors import XioError

_LIKELY: Final = 7
_UNLIKELY: Final = 4


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-c",
    "--config",
    "config_path",
    metavar="FILE",
    type=click.Path(path_type=Path, readable=False),
    help="The configuration. [default: $XIO_CONFIG, else etc/xio.yaml, else /etc/xio/xio.yaml]",
)
@click.option(
    "--region",
    "regions",
    metavar="REGION",
    multiple=True,
    help="A region to score; can be given again. [default: AvailabilityZone's, else AWS's usual ways to find one]",
)
@click.option(
    "--capacity",
    metavar="VCPUS",
    type=click.IntRange(1),
    help="The capacity to ask for. [default: what all nodes of the profile's pools have together]",
)
@json_option("Print one JSON document instead of a table.")
def command(*, config_path: Path | None, regions: tuple[str, ...], capacity: int | None, as_json: bool) -> None:
    """Show EC2's spot placement scores for the SpotFleetTypes of each profile, by availability zone, best first.

    10 means that the capacity is very likely to be had as spot instances, 1 that it is very unlikely. It holds for
    this moment, and is no promise. Asks AWS, with the rights ec2:GetSpotPlacementScores, ec2:DescribeInstanceTypes
    and ec2:DescribeAvailabilityZones; changes nothing.

    \b
    Exit codes: 0 shown, 1 AWS can't be asked, 2 wrong usage.
    \b
    Examples:
      xio spot-score
      xio spot-score -c my.yaml --region us-east-1 --region us-east-2
      xio spot-score --capacity 64 --json
    """
    config = load(config_path or usual_file()).config
    wishes = _wishes(config, capacity)
    found: list[Scored] = []
    for region in dict.fromkeys(regions or (config.region,)):
        with waiting(f"asking EC2 in {region or 'the usual region'} ..."):
            found += spot_scores(wishes, region)
    if as_json:
        click.echo(json.dumps(_document(found, config.availability_zone), indent=2))
    else:
        _print(found, config.availability_zone)


def _wishes(config: Config, capacity: int | None) -> tuple[Wish, ...]:
    wishes = tuple(
        Wish(profile.name, without_priorities(profile.spot_fleet_types), vcpus)
        for profile in config.profiles
        if profile.spot_fleet_types and (vcpus := capacity or _vcpus(config, profile.name))
    )
    if not wishes:
        raise XioError(f"{config.file}: no profile that a pool uses has SpotFleetTypes: there is nothing to score")
    return wishes


def _vcpus(config: Config, profile: str) -> int:
    return sum(pool.size * pool.cpus for pool in config.pools if pool.profile == profile)


def _print(found: Iterable[Scored], configured: str | None) -> None:
    console = Console(highlight=False, markup=False, emoji=False, width=80)
    for by_profile in _by_profile(found):
        wish = by_profile[0].wish
        click.secho(f"{wish.profile}: {wish.vcpus} vCPUs of {len(wish.instances)} families and types", bold=True)
        table = Table(box=None, pad_edge=False)
        for title in ("Zone", "Zone id"):
            table.add_column(title, no_wrap=True)
        table.add_column("Score", justify="right")
        table.add_column("")
        scores = [score for one in by_profile for score in one.scores]
        for score in sorted(scores, key=lambda score: (-score.score, score.zone)):
            mark = "AvailabilityZone" if score.zone == configured else ""
            table.add_row(score.zone, score.zone_id, str(score.score), mark, style=_style(score.score))
        if scores:
            console.print(table)
        for note in _notes(by_profile, configured):
            click.echo(note)
        click.echo()
    click.echo("10: very likely to be had as spot instances now; 1: very unlikely.")


def _by_profile(found: Iterable[Scored]) -> list[list[Scored]]:
    groups: dict[str, list[Scored]] = {}
    for one in found:
        groups.setdefault(one.wish.profile, []).append(one)
    return list(groups.values())


def _style(score: int) -> str:
    return "green" if score >= _LIKELY else "red" if score < _UNLIKELY else ""


def _notes(by_profile: Iterable[Scored], configured: str | None) -> list[str]:
    """What explains scores that are low, or aren't there."""
    notes = []
    for one in by_profile:
        if one.types == 0:
            notes.append(f"{one.region} has none of them with a spot price.")
        elif one.types < MIN_TYPES:
            notes.append(f"{one.region} has {one.types} of their types, and EC2 scores fewer than {MIN_TYPES} low.")
        elif not one.scores:
            notes.append(f"EC2 scores no zone of {one.region} for so much: ask for less with --capacity.")
        elif max(score.score for score in one.scores) < _UNLIKELY:
            notes.append(f"All of {one.region} is low: more families help, and so does less --capacity at a time.")
        if one.types and one.missing:
            notes.append(f"{one.region} doesn't have {', '.join(one.missing)}.")
        in_region = configured is not None and configured.startswith(one.region)
        if one.scores and in_region and configured not in {score.zone for score in one.scores}:
            notes.append(f"EC2 gives no score for {configured}, which is configured.")
    return notes


def _document(found: Iterable[Scored], configured: str | None) -> dict[str, Any]:
    return {
        "profiles": [
            {
                "profile": one.wish.profile,
                "region": one.region,
                "vcpus": one.wish.vcpus,
                "instances": list(one.wish.instances),
                "types": one.types,
                "missing": list(one.missing),
                "scores": [{**asdict(score), "configured": score.zone == configured} for score in one.scores],
                "notes": _notes([one], configured),
            }
            for one in found
        ]
    }
