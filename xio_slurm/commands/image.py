"""``xio image``: the images on the EMS that VMs start from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from xio_slurm.commands.ems_options import ems_of, ems_options, manifest_of
from xio_slurm.commands.image_create import create
from xio_slurm.commands.output import json_option, table_console
from xio_slurm.commands.waiting import waiting
from xio_slurm.deadline import Deadline
from xio_slurm.ems.documents import ENVIRONMENTS, IMAGES, Documents
from xio_slurm.ems.transport import Transport
from xio_slurm.errors import ImageError
from xio_slurm.images.stage import stage_of
from xio_slurm.images.steps import ImageSteps, ami_of
from xio_slurm.images.use import in_words, uses_of
from xio_slurm.plain_text import printable
from xio_slurm.secret_fields import masked

_SECONDS: Final = 120.0
"""For all requests of a command that only looks or deletes."""

_Used = Mapping[str, tuple[str, ...]]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Make, list, show and delete the images on the EMS that VMs start from.

    \b
    Examples:
      xio image create --ami ami-0123456789abcdef0 --name rhel8-x86
      xio image list
      xio image show rhel8-x86
      xio image delete rhel8-x86
    """


command.add_command(create)


@command.command("list")
@ems_options
@json_option("Print one JSON document instead of a table.")
def list_all(*, manifest_path: Path | None, config_path: Path | None, as_json: bool) -> None:
    """List every image of the EMS, its AMI, and the pools that use it, other clusters' too.

    \b
    Examples:
      xio image list
      xio image list --json
    """
    deadline = Deadline.after(_SECONDS)
    with waiting("asking the EMS for its images ..."), ems_of(manifest_of(manifest_path, config_path)) as transport:
        images = Documents(transport, IMAGES).all(deadline)
        uses = uses_of(Documents(transport, ENVIRONMENTS).all(deadline))
    rows = [
        {
            "name": str(image[IMAGES.name_key]),
            "ami": ami_of(image) or None,
            "stage": stage_of(image),
            "used_by": uses.get(image[IMAGES.name_key], {}),
        }
        for image in images
    ]
    if as_json:
        click.echo(json.dumps({"images": rows}, indent=2))
    elif not rows:
        click.echo("The EMS has no images: xio image create makes one.")
    else:
        _print_table(rows)


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in ("Image", "AMI", "Used by"):
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(printable(row["name"]), _ami(row), in_words(row["used_by"]))
    table_console().print(table)


@command.command()
@click.argument("name")
@ems_options
@json_option("Print one JSON document instead of lines.")
def show(*, name: str, manifest_path: Path | None, config_path: Path | None, as_json: bool) -> None:
    """Show all that the EMS tells of an image, and the pools that use it.

    \b
    Examples:
      xio image show rhel8-x86
      xio image show rhel8-x86 --json
    """
    with waiting(f"asking the EMS for image {name} ..."), ems_of(manifest_of(manifest_path, config_path)) as transport:
        document, used = _found(transport, name)
    if as_json:
        click.echo(json.dumps({"image": document, "used_by": used}, indent=2))
        return
    for key, value in document.items():
        click.echo(printable(f"{key}: {value if isinstance(value, str) else json.dumps(value)}"))
    click.echo(f"Used by: {in_words(used)}")


@command.command()
@click.argument("name")
@ems_options
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--force", is_flag=True, help="Delete it even where pools use it.")
def delete(*, name: str, manifest_path: Path | None, config_path: Path | None, yes: bool, force: bool) -> None:
    """Delete an image. One that pools use is asked about twice, and with --yes refused without --force.

    \b
    Examples:
      xio image delete rhel8-x86
      xio image delete rhel8-x86 --yes
    """
    with ems_of(manifest_of(manifest_path, config_path)) as transport:
        with waiting(f"asking the EMS for image {name} ..."):
            _, used = _found(transport, name)
        if used and not force:
            if yes:
                raise ImageError(
                    f"image {name} is used by {in_words(used)}: no VM of theirs could start; --force deletes it"
                )
            click.echo(f"image {name} is used by {in_words(used)}: none of their VMs could start any more.", err=True)
        if not yes and not _agreed(name, twice=bool(used) and not force):
            raise ImageError(f"image {name}: nothing was deleted")
        steps = ImageSteps(
            Documents(transport, IMAGES), tell=lambda _: None, poll_seconds=1.0, deadline=Deadline.after(_SECONDS)
        )
        with waiting(f"deleting image {name} ..."):
            refused = steps.delete(name)
    if refused is not None:
        raise ImageError(f"image {name} isn't deleted: {refused}")
    click.echo(f"deleted: image {name}")


def _agreed(name: str, *, twice: bool) -> bool:
    if not click.confirm(f"Delete image {name}?", err=True):
        return False
    return not twice or click.confirm("Really, though pools use it?", err=True)


def _found(transport: Transport, name: str) -> tuple[dict[str, Any], _Used]:
    """The image as it may be shown, and its uses. Raises ImageError where there is none."""
    deadline = Deadline.after(_SECONDS)
    document = Documents(transport, IMAGES).get(name, deadline)
    if document is None:
        raise ImageError(f"the EMS has no image {name}: see 'xio image list'")
    uses = uses_of(Documents(transport, ENVIRONMENTS).all(deadline))
    return masked(document), uses.get(name, {})


def _ami(row: Mapping[str, Any]) -> str:
    ami = printable(row["ami"] or "not told")
    return ami if row["stage"] == "finished" else f"{ami} ({row['stage']})"
