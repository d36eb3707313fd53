"""Carries an InstallPlan out: all of it, or nothing."""

import os
import pwd
from contextlib import suppress
from pathlib import Path

from xio_slurm.deploy.installation import files
from xio_slurm.deploy.installation.decide import Action, Change, done
from xio_slurm.deploy.installation.install_plan import InstallPlan
from xio_slurm.deploy.installation.locked import locked
from xio_slurm.deploy.installation.undo import Undo, undoing
from xio_slurm.deploy.installation.wanted import Folder
from xio_slurm.deploy.publish import sync_folder
from xio_slurm.errors import DeployError


def install(plan: InstallPlan) -> None:
    """Do what the plan says. Raises DeployError; then everything is as it was.

    Whatever ends us in between, the record is there before the first file is: a second run does the rest, and
    'xio uninstall' undoes what there is.
    """
    try:
        with locked(plan.root), undoing() as undo:
            _install(plan, undo)
    except OSError as error:
        where = error.filename2 or error.filename or plan.root.at(plan.site.layout.folder)
        remedy = ": run this as root" if isinstance(error, PermissionError) else ""
        raise DeployError(f"{where}: {error.strerror}{remedy}: nothing was installed") from error


def _install(plan: InstallPlan, undo: Undo) -> None:
    root = plan.root
    if plan.systemd is not None and plan.restarts:  # the last to be undone: with the files as they were
        was_service = plan.old.service if plan.old is not None else plan.new.service_before
        undo.by(plan.systemd.start if was_service else plan.systemd.forget)
    for folder in plan.folders:
        _make(root.at(folder.path), folder, undo)
    known = plan.old.puts if plan.old is not None else {}
    for put in plan.new.files:
        if put.backup is not None and put.path not in known:
            _back_up(root.at(put.path), root.at(put.backup), undo)
    record = root.at(plan.site.layout.record)
    undo.restoring(record)
    files.put(record, plan.new.to_json().encode(), 0o644)
    for change in done(plan.changes):
        _do(plan, change, undo)
    if plan.systemd is not None and plan.restarts:
        if plan.old is None and not plan.new.service_before:
            undo.by(plan.systemd.stop)
        plan.systemd.start()


def _do(plan: InstallPlan, change: Change, undo: Undo) -> None:
    path = plan.root.at(change.path)
    undo.restoring(path)
    if change.file is not None:
        files.put(path, change.file.content, change.file.mode)
    elif change.action is Action.RESTORE and plan.old is not None:
        files.copy(plan.root.at(str(plan.old.puts[change.path].backup)), path)
    else:
        path.unlink(missing_ok=True)


def _make(path: Path, folder: Folder, undo: Undo) -> None:
    path.mkdir(mode=0o700)
    undo.by(path.rmdir)
    if folder.owner is not None and os.geteuid() == 0:
        with suppress(KeyError):  # a user of the machine that a package is for
            account = pwd.getpwnam(folder.owner)
            os.chown(path, account.pw_uid, account.pw_gid)
    path.chmod(folder.mode)  # whatever the umask
    sync_folder(path.parent)


def _back_up(path: Path, backup: Path, undo: Undo) -> None:
    for folder in reversed([folder for folder in backup.parents if not folder.exists()]):
        folder.mkdir(mode=0o755)
        undo.by(folder.rmdir)
    undo.by(backup.unlink)
    files.copy(path, backup)
