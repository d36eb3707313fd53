"""The options of the commands that speak to the EMS: which cluster it is about."""

import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from xio_slurm.commands.output import tell
from xio_slurm.ems.connection import connected
from xio_slurm.ems.transport import Transport
from xio_slurm.errors import ManifestError
from xio_slurm.manifest import DEFAULT_PATH, Manifest

_Command = TypeVar("_Command", bound=Callable[..., Any])


manifest_option: Final = click.option(
    "--manifest",
    "manifest_path",
    metavar="FILE",
    type=click.Path(path_type=Path, readable=False),
    help=f"The cluster's manifest. [default: $XIO_MANIFEST, else {DEFAULT_PATH}]",
)
"""Gives a command ``--manifest``, as its argument ``manifest_path``."""


def config_option(text: str) -> Callable[[_Command], _Command]:
    """Give a command ``-c``, as its argument ``config_path``."""
    return click.option(
        "-c",
        "--config",
        "config_path",
        metavar="FILE",
        type=click.Path(path_type=Path, readable=False),
        help=text,
    )


def ems_options(command: _Command) -> _Command:
    """Give a command both: a configuration instead of the manifest."""
    return manifest_option(
        config_option("The configuration (YAML) in place of a manifest, before there is one.")(command)
    )


def path_of(manifest_path: Path | None) -> str:
    """The manifest that the option names, else the usual one."""
    return str(manifest_path or os.environ.get("XIO_MANIFEST") or DEFAULT_PATH)


def manifest_of(manifest_path: Path | None, config_path: Path | None) -> Manifest:
    """The manifest that the options name, or what would be the manifest of the configuration.

    The EMS is looked up by its stack where that is all that a configuration says. Raises ManifestError, ConfigError
    and DeployError, and click.UsageError where both options are given.
    """
    if config_path is None:
        return Manifest.read(path_of(manifest_path))
    if manifest_path is not None:
        raise click.UsageError("--manifest and -c exclude each other: give one of them")
    # Loaded here: most calls have a manifest, and need nothing of the deploy time.
    from xio_slurm.config import load  # noqa: PLC0415
    from xio_slurm.deploy.compile import compile_config, read_user_data  # noqa: PLC0415
    from xio_slurm.deploy.ems_location import locate  # noqa: PLC0415
    from xio_slurm.deploy.programs import programs_of  # noqa: PLC0415
    from xio_slurm.deploy.publish import Deployed  # noqa: PLC0415

    location = locate(load(config_path).config, Deployed(None, None))
    if location.problem is not None:
        raise ManifestError(f"{location.problem}: so where the EMS is isn't known; ManagementServerIp says it, too")
    config = location.config
    return compile_config(config, programs_of(config.plugin), read_user_data(config)).manifest


@contextmanager
def ems_of(manifest: Manifest) -> Iterator[Transport]:
    """Connect to the manifest's EMS, and tell on stderr which of our certificates expire soon."""
    with connected(manifest) as transport:
        tell(f"warning: {line}" for line in transport.certificate_warnings)
        yield transport


def options_again(manifest_path: Path | None, config_path: Path | None) -> str:
    """The same options for a command line that a message proposes, with a space before them; empty for the defaults."""
    if config_path is not None:
        return f" -c {shlex.quote(str(config_path))}"
    return f" --manifest {shlex.quote(str(manifest_path))}" if manifest_path is not None else ""
