"""What a cluster's machine gets, decided from what is known of it. Pure."""

import shlex
from dataclasses import dataclass
from pathlib import Path, PurePath

from xio_slurm.deploy.installation.layout import COMMAND, LOGROTATE, UNIT
from xio_slurm.deploy.installation.site import Site
from xio_slurm.deploy.installation.unit import logrotate, unit
from xio_slurm.deploy.launchers import launcher
from xio_slurm.deploy.programs import MODULES
from xio_slurm.deploy.publish import APPLY_LOCK, LOCK, MANIFEST, NODE_DEFINITIONS


@dataclass(frozen=True, slots=True)
class File:
    """A file of root's."""

    path: str
    content: bytes
    mode: int


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder, of SlurmUser where ``owner`` names it, else root's. One that is there stays as it is."""

    path: str
    mode: int
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    """``folders`` have parents before what lies in them. ``by_apply`` are files that 'xio apply' will write."""

    files: tuple[File, ...]
    folders: tuple[Folder, ...]
    by_apply: tuple[str, ...]


def wanted(site: Site, templates: tuple[str, str], own_bin: str) -> Installation:
    """All of it. ``templates`` are those of unit and logrotate; ``own_bin`` is where pip has put the programs."""
    unit_template, logrotate_template = templates
    files = [File(f"{site.programs}/{name}", _launcher(site, module), 0o755) for name, module in MODULES.items()]
    if str(PurePath(COMMAND).parent) != own_bin:
        files.append(File(COMMAND, _command(site), 0o755))
    files.append(File(LOGROTATE, logrotate(logrotate_template, site).encode(), 0o644))
    if site.service:
        files.append(File(UNIT, unit(unit_template, site).encode(), 0o644))
    folder = str(PurePath(site.manifest).parent)
    own = {
        site.state_dir: Folder(site.state_dir, 0o700, site.slurm_user),
        site.log_dir: Folder(site.log_dir, 0o750, site.slurm_user),
    }
    places = [file.path for file in files] + [site.layout.record, site.manifest, *(f"{path}/x" for path in own)]
    above = {str(parent) for place in places for parent in PurePath(place).parents}
    return Installation(
        tuple(files),
        tuple(own.get(path, Folder(path, 0o755)) for path in sorted(above)),
        tuple(f"{folder}/{name}" for name in (NODE_DEFINITIONS, MANIFEST, LOCK, APPLY_LOCK)),
    )


def _launcher(site: Site, module: str) -> bytes:
    return launcher(Path(site.interpreter), Path(site.manifest), "-I", "-m", module).encode()


def _command(site: Site) -> bytes:
    """``xio`` on everybody's PATH, which knows where the manifest is."""
    return (
        "#!/bin/sh\n"
        "# Made by xio-slurm: the command of the installation that slurmctld's programs are of.\n"
        f'[ -n "${{XIO_MANIFEST:-}}" ] || XIO_MANIFEST={shlex.quote(site.manifest)}\n'
        "export XIO_MANIFEST\n"
        f'exec {shlex.quote(site.interpreter)} -I -m xio_slurm.commands "$@"\n'
    ).encode()
