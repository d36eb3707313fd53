"""What SlurmUser can do, by really trying: a folder on the way may be closed to it, which no look at a file shows."""

import os
import pwd
import subprocess
from pathlib import Path

from xio_slurm.manifest import Tls


def cannot_run(program: Path, user: str, *arguments: str) -> str:
    """Why a user can't run a program of ours; empty if it can, or if we can't become that user."""
    return _refusal((str(program), *arguments, "--help"), user)


def unread_certificates(tls: Tls, user: str) -> tuple[str, ...]:
    """A line with the certificates and keys that a user can't read. None where we can't become that user."""
    files = dict.fromkeys(file for file in (tls.ca_file, tls.client_certificate, tls.client_key) if file is not None)
    closed = {file: place for file in files if (place := _closed_at(file, user)) is not None}
    if not closed:
        return ()
    commands = (f"chown {user} {file}" if file == place else f"chmod o+x {place}" for file, place in closed.items())
    remedy = "; ".join(dict.fromkeys(commands))
    return (f"SlurmUser {user} can't read {', '.join(closed)}, so that its programs can't reach the EMS: {remedy}",)


def _closed_at(file: str, user: str) -> str | None:
    """The first folder on the way that a user may not pass, else the file; None where it can be read or isn't there."""
    if not os.path.exists(file) or not _refusal(("test", "-r", file), user):  # noqa: PTH110  it never raises
        return None
    folders = map(str, reversed(Path(file).resolve().parents))
    return next((folder for folder in folders if _refusal(("test", "-x", folder), user)), file)


def _refusal(command: tuple[str, ...], user: str) -> str:
    """Why a command fails that a user runs; empty if it doesn't, or if we can't become that user."""
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        return ""
    if os.geteuid() not in {0, account.pw_uid}:
        return ""
    root = os.geteuid() == 0
    try:
        trial = subprocess.run(
            command,
            user=account.pw_uid if root else None,
            group=account.pw_gid if root else None,
            extra_groups=os.getgrouplist(user, account.pw_gid) if root else None,
            cwd="/",
            env={},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    said = trial.stderr.strip().splitlines()
    return "" if trial.returncode == 0 else (said[-1] if said else f"it ends with {trial.returncode}")
