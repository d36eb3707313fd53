"""What is known of the cluster that is installed for."""

import grp
import os
import pwd
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import xio_slurm
from xio_slurm.config.model import Config
from xio_slurm.deploy.as_slurm_user import cannot_run
from xio_slurm.deploy.installation.layout import Layout, Root
from xio_slurm.deploy.installation.record import Installed
from xio_slurm.deploy.programs import MODULES, RESUME, installed_bin, interpreter
from xio_slurm.errors import DeployError, ManifestError
from xio_slurm.manifest import Manifest
from xio_slurm.slurm import conf

_STATE_DIR: Final = "/var/lib/xio"
_LOG_DIR: Final = "/var/log/xio"
_BIN_DIR: Final = "/usr/bin"


@dataclass(frozen=True, slots=True)
class Site:
    """Paths as the machine knows them. ``interpreter`` runs the programs; ``prefix`` is the environment it is of.

    ``service``: whether systemd gets the unit.
    """

    layout: Layout
    interpreter: str
    prefix: str
    programs: str
    manifest: str
    slurm_conf: str
    slurm_bin_dir: str
    slurm_user: str
    group: str
    state_dir: str
    log_dir: str
    service: bool


def site_of(
    layout: Layout,
    root: Root,
    old: Installed | None,
    config: Config | None,
    *,
    slurm_conf: str,
    manifest: str,
    service: bool,
) -> Site:
    """What slurm.conf and the configuration say; where there is none, the manifest, else what is installed already.

    Raises DeployError and SlurmError.
    """
    for path in (manifest, slurm_conf):
        if not os.path.isabs(path):  # noqa: PTH117  a text
            raise DeployError(f"{path}: give its absolute path: the programs are called from any folder")
    user, group = _slurm_user(root, slurm_conf)
    known = _manifest(root, manifest) if config is None else None
    state_dir, log_dir, bin_dir = (
        (config.plugin.state_dir, config.plugin.log_dir, config.plugin.slurm_bin_dir)
        if config is not None
        else (known.state_dir, known.log_dir, known.slurm_bin_dir)
        if known is not None
        else (old.state_dir, old.log_dir, old.slurm_bin_dir)
        if old is not None
        else (_STATE_DIR, _LOG_DIR, _BIN_DIR)
    )
    programs = config.plugin.program_dir if config is not None else old.programs if old is not None else None
    if programs is not None and Path(programs).resolve() == installed_bin().resolve():
        raise DeployError(
            f"ProgramDir: {programs} is where this installation has its own programs: take that key out,"
            " or name another folder"
        )
    return Site(
        layout=layout,
        interpreter=str(interpreter()),
        prefix=sys.prefix,
        programs=programs or layout.programs,
        manifest=manifest,
        slurm_conf=slurm_conf,
        slurm_bin_dir=bin_dir,
        slurm_user=user,
        group=group,
        state_dir=state_dir,
        log_dir=log_dir,
        service=service,
    )


def faults(site: Site) -> tuple[str, ...]:
    """Why slurmctld of this machine couldn't use what would be installed, a line each."""
    package = str(Path(xio_slurm.__file__).parent)
    found = [
        f"{path}: is writable for everybody, who could so become SlurmUser: chmod -R o-w {path}"
        for path in dict.fromkeys((site.interpreter, site.prefix, package))
        if Path(path).stat().st_mode & stat.S_IWOTH
    ]
    reason = cannot_run(Path(site.interpreter), site.slurm_user, "-I", "-m", MODULES[RESUME])
    if reason:
        found.append(
            f"{site.interpreter}: SlurmUser {site.slurm_user} can't run xio-slurm with it ({reason}): make the virtual"
            " environment where it can, such as /opt/xio"
        )
    return tuple(found)


def _slurm_user(root: Root, slurm_conf: str) -> tuple[str, str]:
    if not root.at(slurm_conf).is_file():
        if not root.is_machine:
            return "slurm", "slurm"  # a package's: made where there is no cluster yet
        raise DeployError(f"{slurm_conf}: there is no slurm.conf: name the cluster's with --slurm-conf")
    user = conf.read(str(root.at(slurm_conf))).get("SlurmUser") or "root"
    try:
        account = pwd.getpwnam(user)
        return user, grp.getgrgid(account.pw_gid).gr_name
    except KeyError:
        if not root.is_machine:
            return user, user
        raise DeployError(f"{slurm_conf}: SlurmUser {user} isn't among this machine's users") from None


def _manifest(root: Root, manifest: str) -> Manifest | None:
    try:
        return Manifest.read(str(root.at(manifest)))
    except ManifestError:
        return None
