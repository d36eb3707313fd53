"""What 'xio install' and 'xio upgrade' would do on a machine: looked at, and nothing changed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from xio_slurm import __version__
from xio_slurm.deploy.installation import files
from xio_slurm.deploy.installation.code import code_digest
from xio_slurm.deploy.installation.decide import Action, Change, digest, done, installing, outdated
from xio_slurm.deploy.installation.layout import REPLACED, UNIT, Root
from xio_slurm.deploy.installation.record import Installed, Put
from xio_slurm.deploy.installation.site import Site
from xio_slurm.deploy.installation.systemd import Systemd
from xio_slurm.deploy.installation.wanted import Folder, Installation, wanted
from xio_slurm.deploy.programs import installed_bin
from xio_slurm.deploy.publish import NODE_DEFINITIONS
from xio_slurm.shipped import shipped
from xio_slurm.slurm import conf


@dataclass(frozen=True, slots=True)
class InstallPlan:
    """``old`` and ``new`` are the records before and after; ``folders`` those to be made."""

    site: Site
    root: Root
    systemd: Systemd | None
    old: Installed | None
    new: Installed
    changes: tuple[Change, ...]
    folders: tuple[Folder, ...]

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to do."""
        return not any(done(self.changes)) and not self.folders and self.old == self.new

    @property
    def is_upgrade(self) -> bool:
        """Whether another installation than this one is there."""
        return self.old is not None and (outdated(self.changes, self.old) or self.old.code != self.new.code)

    @property
    def restarts(self) -> bool:
        """Whether the service must be started, or started anew with other code."""
        if self.systemd is None or not self.new.service:
            return False
        unit = any(change.path == UNIT for change in done(self.changes))
        return unit or self.old is None or self.old.code != self.new.code or not self.old.service


def plan_install(site: Site, root: Root, systemd: Systemd | None, old: Installed | None) -> InstallPlan:
    """Look at the machine. ``old`` is the record that is there. Raises DeployError and SlurmError."""
    templates = (shipped("xio-sync.service").read_text(), shipped("logrotate").read_text())
    installation = wanted(site, templates, str(installed_bin()))
    changes = installing(installation, old, lambda path: files.look(root.at(path)))
    missing = tuple(folder for folder in installation.folders if not root.at(folder.path).exists())
    known = old.folders if old is not None else ()
    new = Installed(
        layout=site.layout.name,
        version=__version__,
        code=code_digest(),
        interpreter=site.interpreter,
        programs=site.programs,
        manifest=site.manifest,
        slurm_conf=site.slurm_conf,
        slurm_bin_dir=site.slurm_bin_dir,
        state_dir=site.state_dir,
        log_dir=site.log_dir,
        service=systemd is not None,
        service_before=old.service_before if old is not None else systemd is not None and systemd.is_enabled(),
        included=old.included if old is not None else _included(site, root),
        folders=tuple(dict.fromkeys((*known, *(folder.path for folder in missing)))),
        files=tuple(_puts(site, root, old, installation, changes)),
    )
    return InstallPlan(site, root, systemd, old, new, changes, missing)


def _puts(
    site: Site, root: Root, old: Installed | None, installation: Installation, changes: tuple[Change, ...]
) -> Iterator[Put]:
    known = old.puts if old is not None else {}

    def put(path: str, ours: str | None) -> Put:
        if path in known:
            return replace(known[path], ours=ours)
        before = files.look(root.at(path)).content
        return Put(path, ours, before, f"{site.layout.folder}/{REPLACED}{path}" if before is not None else None)

    for change in changes:
        if change.action is Action.EDITED:
            yield known[change.path]
        elif change.file is not None:
            yield put(change.path, digest(change.file.content))
    for path in installation.by_apply:
        yield put(path, None)


def _included(site: Site, root: Root) -> bool:
    """Whether slurm.conf had our include line before us."""
    path = root.at(site.slurm_conf)
    nodes = str(Path(site.manifest).with_name(NODE_DEFINITIONS))
    return path.is_file() and conf.read(str(path), ours=nodes).included is not None
