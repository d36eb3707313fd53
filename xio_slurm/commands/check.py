"""``xio check``: is my configuration right?"""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import click
from msgspec import to_builtins
from rich.table import Table

from xio_slurm.commands.output import json_option, table_console
from xio_slurm.config import Config, load
from xio_slurm.config.json_schema import json_schema
from xio_slurm.config.real_memory import real_memory
from xio_slurm.errors import ConfigError, Problem, XioError

DEFAULT_FILES: Final = (Path("etc/xio.yaml"), Path("/etc/xio/xio.yaml"))

_COLOURS: Final = {"error": "red", "warning": "yellow"}


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, readable=False))
@click.option(
    "-c", "--config", "given", metavar="FILE", type=click.Path(path_type=Path, readable=False), help="The same."
)
@json_option("Print the result as JSON, for programs.")
@click.option("--strict", is_flag=True, help="Let warnings fail the check as errors do.")
@click.option("--schema", is_flag=True, help="Print the JSON schema of the file, for editors, and do nothing else.")
def command(file: Path | None, *, given: Path | None, as_json: bool, strict: bool, schema: bool) -> None:
    """Check a configuration FILE, and tell all of its problems at once.

    Without FILE it is $XIO_CONFIG, else etc/xio.yaml of the current folder, else /etc/xio/xio.yaml. Needs no EMS, no
    Slurm and no AWS.
    Every problem is one line: file, line, severity, key, what is wrong, and what to write instead.

    Exit code: 0 no error, 1 errors (with --strict also warnings), 2 wrong usage.

    \b
    Examples:
      xio check                           the usual file
      xio check --strict my.yaml          warnings fail, too
      xio check --json my.yaml            for programs
      xio check --schema > xio.schema.json
    """
    if schema:
        click.echo(json_schema(), nl=False)
        return
    path = file or given or usual_file()
    config, problems = _check(path)
    errors = [problem for problem in problems if problem.severity == "error"]
    warnings = [problem for problem in problems if problem.severity == "warning"]
    failed = bool(errors or (strict and warnings))
    if as_json:
        click.echo(json.dumps(_document(path, config, errors, warnings, failed=failed), indent=2))
    else:
        _print(path, config, errors, warnings)
    sys.exit(1 if failed else 0)


def usual_file() -> Path:
    """The file where no other is named. Raises XioError if it isn't there."""
    if named := os.environ.get("XIO_CONFIG"):
        return Path(named)
    for path in DEFAULT_FILES:
        if os.path.exists(path):  # noqa: PTH110 (Path.exists raises for what stands in a closed folder)
            return path
    raise XioError(f"there is neither {DEFAULT_FILES[0]} nor {DEFAULT_FILES[1]}: name it with -c FILE")


def _check(path: Path) -> tuple[Config | None, tuple[Problem, ...]]:
    try:
        loaded = load(path)
    except ConfigError as error:
        return None, error.problems
    return loaded.config, loaded.warnings


def _document(
    path: Path, config: Config | None, errors: list[Problem], warnings: list[Problem], *, failed: bool
) -> dict[str, Any]:
    return {
        "ok": not failed,
        "file": click.format_filename(path),
        "errors": to_builtins(errors),
        "warnings": to_builtins(warnings),
        "config": to_builtins(config),
    }


def _print(path: Path, config: Config | None, errors: list[Problem], warnings: list[Problem]) -> None:
    for title, problems in (("Errors", errors), ("Warnings", warnings)):
        if problems:
            click.echo(f"{title}:")
            for problem in problems:
                click.echo(_coloured(problem))
            click.echo()
    if config is not None:
        _print_tables(config)
    click.echo(f"{click.format_filename(path)}: {_counted(len(errors), 'error')}, {_counted(len(warnings), 'warning')}")


def _print_tables(config: Config) -> None:
    console = table_console()
    images = {pool.image for pool in config.pools}
    console.print(_pools(config, with_images=len(images) > 1))
    if len(images) == 1:
        click.echo(f"Image: {images.pop()} (all pools)")
    console.print()
    console.print(_profiles(config))
    console.print()


def _coloured(problem: Problem) -> str:
    # click leaves the colour out where the output is no terminal.
    before, severity, after = str(problem).partition(f" {problem.severity}:")
    return f"{before}{click.style(severity, fg=_COLOURS[problem.severity])}{after}"


def _pools(config: Config, *, with_images: bool) -> Table:
    texts = ("Profile", "Image") if with_images else ("Profile",)
    rows = (
        (
            pool.name,
            pool.size,
            pool.cpus,
            pool.max_memory,
            real_memory(pool.max_memory),
            pool.volume_size,
            pool.weight,
            pool.profile,
            *((pool.image,) if with_images else ()),
        )
        for pool in config.pools
    )
    return _table("Pool", ("Nodes", "CPUs", "MiB", "RealMemory", "GB", "Weight"), texts, rows)


def _profiles(config: Config) -> Table:
    rows = (
        (
            profile.name,
            profile.max_controllers,
            len(profile.instance_types),
            len(profile.spot_fleet_types),
            profile.cpu_vendor,
            "on" if profile.enable_hyperthreading else "off",
        )
        for profile in config.profiles
    )
    return _table("Profile", ("Controllers", "Types", "Spot"), ("CPU", "Hyperthreading"), rows)


def _table(
    first: str, numbers: tuple[str, ...], texts: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]
) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, overflow="fold")
    for number in numbers:
        table.add_column(number, justify="right", no_wrap=True)
    for text in texts:
        table.add_column(text, overflow="fold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    return table


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
