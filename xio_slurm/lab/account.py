"""Whose processes a lab's daemons and programs are."""

import os
import pwd
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from xio_slurm.errors import LabError

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Account:
    """SlurmUser and SlurmdUser. ``note`` tells where this differs from a real cluster; empty where it doesn't."""

    slurm_user: str
    slurmd_user: str
    uid: int
    gid: int
    note: str = ""


def choose() -> Account:
    """As root, ``slurm`` as on a real cluster, if there is one and it can run our programs; else the caller.

    Raises LabError for a user without a name: Slurm knows users by name.
    """
    uid, gid = os.getuid(), os.getgid()
    if uid != 0:
        try:
            name = pwd.getpwuid(uid).pw_name
        except KeyError as error:
            raise LabError(
                f"user id {uid} has no name on this machine, and Slurm needs one (see /etc/passwd)"
            ) from error
        return Account(name, name, uid, gid, f"not root: Slurm runs as {name}, and only for {name}'s jobs")
    try:
        slurm = pwd.getpwnam("slurm")
    except KeyError:
        return Account("root", "root", uid, gid, "there is no user slurm: SlurmUser is root")
    reason = _cannot_run(slurm)
    if reason:
        return Account("root", "root", uid, gid, f"user slurm can't run this xio-slurm ({reason}): SlurmUser is root")
    return Account("slurm", "root", slurm.pw_uid, slurm.pw_gid)


def _cannot_run(user: pwd.struct_passwd) -> str:
    """Why the user can't run our programs, by really trying; empty if it can."""
    try:
        trial = subprocess.run(
            (sys.executable, "-c", f"import xio_slurm, os; os.listdir({str(_PACKAGE)!r})"),
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            cwd="/",
            env={},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{sys.executable}: {error}"
    return "" if trial.returncode == 0 else (trial.stderr.strip().splitlines() or ["it failed without a word"])[-1]
