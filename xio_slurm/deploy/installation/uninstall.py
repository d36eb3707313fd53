"""Has the machine be as it was before 'xio install'."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from xio_slurm.deploy.installation import files
from xio_slurm.deploy.installation.decide import Action, Change, uninstalling
from xio_slurm.deploy.installation.layout import REPLACED, Layout, Root
from xio_slurm.deploy.installation.locked import locked
from xio_slurm.deploy.installation.record import Installed
from xio_slurm.deploy.installation.systemd import Systemd
from xio_slurm.deploy.publish import NODE_DEFINITIONS
from xio_slurm.deploy.survey import survey
from xio_slurm.errors import DeployError, LedgerError
from xio_slurm.ledger import Ledger
from xio_slurm.plain_text import listed
from xio_slurm.slurm import conf
from xio_slurm.slurm.conf import SlurmConf


@dataclass(frozen=True, slots=True)
class UninstallPlan:
    """``purged`` are folders that go with all that is in them. ``conf``: slurm.conf, where it includes us by apply."""

    layout: Layout
    root: Root
    systemd: Systemd | None
    record: Installed
    changes: tuple[Change, ...]
    purged: tuple[str, ...]
    conf: SlurmConf | None
    refusals: tuple[str, ...]

    @property
    def node_definitions(self) -> Path:
        """What slurm.conf includes."""
        return _node_definitions(self.record)


def plan_uninstall(
    layout: Layout, root: Root, systemd: Systemd | None, record: Installed, *, purge: bool
) -> UninstallPlan:
    """Look at the machine. Changes nothing. Raises DeployError and SlurmError."""
    changes = uninstalling(record, lambda path: files.look(root.at(path)))
    purged = tuple(path for path in (record.state_dir, record.log_dir) if purge and path in record.folders)
    path = root.at(record.slurm_conf)
    read = conf.read(str(path), ours=str(_node_definitions(record))) if path.is_file() else None
    ours = read if read is not None and read.included is not None and not record.included else None
    refusals = (*_vms(record, root), *_running(record, ours))
    return UninstallPlan(layout, root, systemd, record, changes, purged, ours, refusals)


def uninstall(plan: UninstallPlan, unhook: Callable[[], None]) -> tuple[str, ...]:
    """Do it; a line each for what is left. ``unhook`` takes the include line out of slurm.conf. Raises DeployError.

    The record goes last: what somebody ends in between is finished by a second run.
    """
    record, root = plan.record, plan.root
    try:
        with locked(root):
            if plan.systemd is not None and record.service and not record.service_before:
                plan.systemd.stop()
            unhook()
            for change in plan.changes:
                _do(plan, change)
            if plan.systemd is not None and record.service:
                plan.systemd.start() if record.service_before else plan.systemd.forget()
            for path in plan.purged:
                if root.at(path).exists():  # a run before this one was ended just then
                    shutil.rmtree(root.at(path))
            left = _forget(plan)
    except OSError as error:
        remedy = ": run this as root" if isinstance(error, PermissionError) else ""
        where = error.filename or root.at(plan.layout.folder)
        raise DeployError(f"{where}: {error.strerror}{remedy}: the same command again does the rest") from error
    return left


def _do(plan: UninstallPlan, change: Change) -> None:
    path = plan.root.at(change.path)
    if change.action is Action.RESTORE:
        files.copy(plan.root.at(str(plan.record.puts[change.path].backup)), path)
    elif change.action is Action.REMOVE:
        path.unlink()


def _forget(plan: UninstallPlan) -> tuple[str, ...]:
    """Take away the record, what was kept, and the folders that were made; a line for each that isn't empty."""
    root, record = plan.root, plan.record
    edited = {change.path for change in plan.changes if change.action is Action.EDITED}
    for put in record.files:
        if put.backup is not None and put.path not in edited:
            root.at(put.backup).unlink(missing_ok=True)
    kept = root.at(f"{plan.layout.folder}/{REPLACED}")
    if kept.is_dir():
        for folder in sorted((path for path in (kept, *kept.rglob("*")) if path.is_dir()), reverse=True):
            if not any(folder.iterdir()):
                folder.rmdir()
    root.at(plan.layout.record).unlink(missing_ok=True)
    left: list[str] = []
    for name in sorted(record.folders, reverse=True):
        folder = root.at(name)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        elif folder.is_dir() and not any(line.startswith(f"{name}/") for line in left):
            left.append(f"{name}: isn't empty, and stays")
    return tuple(reversed(left))


def _vms(record: Installed, root: Root) -> tuple[str, ...]:
    state = root.at(record.state_dir)
    if not (state / "nodes").is_dir():
        return ()
    try:
        names = [entry.node for entry in Ledger(str(state)).entries() if entry.phase != "foreign"]
    except LedgerError as error:
        return (f"{error}: so whether there are VMs of ours isn't known",)
    if not names:
        return ()
    return (
        f"the ledger has VMs of ours, which nobody would ever delete: {listed(names)}: let their jobs end, or have them"
        " deleted, and see that 'xio vm list' has none",
    )


def _running(record: Installed, ours: SlurmConf | None) -> tuple[str, ...]:
    if ours is None or not survey(ours, record.slurm_bin_dir, ()).running:
        return ()
    return ("slurmctld is running with our nodes: stop it (running jobs go on without it), run this again, start it",)


def _node_definitions(record: Installed) -> Path:
    return Path(record.manifest).with_name(NODE_DEFINITIONS)
