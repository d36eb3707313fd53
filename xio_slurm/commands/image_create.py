"""``xio image create``: an AMI → an image on the EMS."""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from xio_slurm.commands.ems_options import ems_of, ems_options, manifest_of
from xio_slurm.commands.image_progress import shown
from xio_slurm.commands.output import json_option, tell
from xio_slurm.deadline import Deadline
from xio_slurm.ems.documents import ENVIRONMENTS, IMAGES, Documents
from xio_slurm.ems.parse_jobs import NewImage
from xio_slurm.ems.transport import Transport
from xio_slurm.errors import ImageError
from xio_slurm.images.ami_check import check_ami
from xio_slurm.images.inputs import read_key, read_script
from xio_slurm.images.making import ImageMaker, ImageProgress, Made
from xio_slurm.images.stage import stage_of
from xio_slurm.images.steps import ami_of
from xio_slurm.images.use import in_words, others_using, uses_of

_AMI: Final = re.compile(r"ami-[0-9a-f]{1,40}")
_NAME: Final = re.compile(r"(?!\.+\Z)[^\s/\x00-\x1f\x7f]{1,200}")


_LOOK_SECONDS: Final = 120.0
"""For the looks at who uses an image."""


def _matching(pattern: re.Pattern[str], hint: str) -> Callable[[click.Context, click.Parameter, str], str]:
    def check(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
        if pattern.fullmatch(value) is None:
            raise click.BadParameter(f"{value!r} isn't one: {hint}")
        return value

    return check


@click.command()
@click.option(
    "--ami", required=True, metavar="AMI", callback=_matching(_AMI, "write ami-…"), help="The AMI to make it from."
)
@click.option(
    "--name",
    required=True,
    metavar="NAME",
    callback=_matching(_NAME, "write one word without '/'"),
    help="The image's name, as pools have it in ImageName.",
)
@click.option(
    "--script",
    "script_path",
    metavar="FILE",
    type=click.Path(path_type=Path, readable=False),
    help="A script to pass on with the AMI, as its UserData.",
)
@click.option("--user", metavar="U", help="The AMI's user to log in as; with --pem.")
@click.option(
    "--pem",
    "key_path",
    metavar="FILE",
    type=click.Path(path_type=Path, readable=False),
    help="That user's private key, a file that only its owner can read.",
)
@click.option("--description", default="", metavar="TEXT", help="What the EMS shows beside it.")
@click.option("--replace", is_flag=True, help="If an image of that name is of another AMI, make it anew.")
@click.option("--force", is_flag=True, help="With --replace: even where pools of other environments use the image.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=1, max=86_400),
    default=3600,
    show_default=True,
    help="How long to wait for the EMS.",
)
@ems_options
@click.option("--no-aws-checks", is_flag=True, help="Don't ask AWS about the AMI first.")
@json_option("Print one JSON document instead of lines.")
def create(
    *,
    ami: str,
    name: str,
    script_path: Path | None,
    user: str | None,
    key_path: Path | None,
    description: str,
    replace: bool,
    force: bool,
    timeout: float,
    manifest_path: Path | None,
    config_path: Path | None,
    no_aws_checks: bool,
    as_json: bool,
) -> None:
    """Make an image from an AMI, and wait until it is there.

    Nothing is done if the image is there and of that AMI. With --replace, one of another AMI stays until the new AMI
    is known to parse: it is parsed as NAME-xio-next and takes the old image's place then. Where the EMS doesn't rename
    images, the old one is deleted then and the AMI parsed a second time; this is told. An image that pools of other
    environments use, too, isn't replaced without --force. A command that was broken off can be given again, and goes
    on.

    \b
    Exit codes: 0 it is there, 1 refused, failed or not in time, 2 wrong usage,
    130 interrupted.
    \b
    Examples:
      xio image create --ami ami-0123456789abcdef0 --name rhel8-x86
      xio image create --ami ami-0fedcba9876543210 --name rhel8-x86 --replace
      xio image create --ami ami-0123456789abcdef0 --name rhel8 -c etc/xio.yaml
    """
    if (user is None) != (key_path is None):
        raise click.UsageError("--user and --pem belong together: give both or neither")
    manifest = manifest_of(manifest_path, config_path)
    image = NewImage(
        name=name,
        ami=ami,
        description=description,
        user_data=read_script(script_path) if script_path is not None else "",
        user=user or "",
        key=read_key(key_path) if key_path is not None else "",
    )
    warnings: tuple[str, ...] = ()
    if not no_aws_checks:
        checked = check_ami(ami, name, manifest.region, manifest.pools)
        if checked.errors:
            raise ImageError("\n".join(f"{line} (--no-aws-checks goes on)" for line in checked.errors))
        warnings = checked.warnings
        tell(f"warning: {line}" for line in warnings)
    with ems_of(manifest) as transport, shown() as say:
        if replace:
            tell(_told_of_uses(transport, image, manifest.cluster, force=force))
        made = _made(transport, say, image, replace=replace, timeout=timeout)
    if as_json:
        click.echo(json.dumps({**asdict(made), "warnings": warnings}, indent=2))
        return
    click.echo(f"{made.outcome}: image {made.name} of {made.ami}")
    tell(f"note: {line}" for line in made.notes)


def _told_of_uses(transport: Transport, image: NewImage, ours: str | None, *, force: bool) -> tuple[str, ...]:
    """Lines about the pools whose image would be replaced. Raises ImageError where these are others', and EmsError."""
    deadline = Deadline.after(_LOOK_SECONDS)
    there = Documents(transport, IMAGES).get(image.name, deadline)
    if there is None or (ami_of(there) == image.ami and stage_of(there) != "failed"):
        return ()
    uses = uses_of(Documents(transport, ENVIRONMENTS).all(deadline))
    others = others_using(uses, image.name, ours)
    if others and not force:
        raise ImageError(
            f"image {image.name} is used by other environments, too ({in_words(others)}): take another name, or "
            "replace it for all with --force"
        )
    used = uses.get(image.name, {})
    return (
        (f"image {image.name} is used by {in_words(used)}: VMs that start from now on get the new one",) if used else ()
    )


def _made(
    transport: Transport, say: Callable[[ImageProgress], None], image: NewImage, *, replace: bool, timeout: float
) -> Made:
    steps: list[ImageProgress] = []

    def begin(step: ImageProgress) -> None:
        steps[:] = [step]
        say(step)

    try:
        return ImageMaker(transport, say=begin).make(image, replace=replace, deadline=Deadline.after(timeout))
    except KeyboardInterrupt:
        left = "the EMS goes on with what it has begun; the same command again goes on from there"
        tell((f"xio: interrupted: {left if steps else 'nothing was done'}",))
        sys.exit(130)
