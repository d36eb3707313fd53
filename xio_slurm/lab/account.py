"""Whose processes a lab's daemons and programs are."""

import os
import pwd
from dataclasses import dataclass

from xio_slurm.deploy.as_slurm_user import cannot_run
from xio_slurm.deploy.programs import RESUME, installed_bin
from xio_slurm.errors import LabError


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
    reason = cannot_run(installed_bin() / RESUME, slurm.pw_name)
    if reason:
        return Account("root", "root", uid, gid, f"user slurm can't run this xio-slurm ({reason}): SlurmUser is root")
    return Account("slurm", "root", slurm.pw_uid, slurm.pw_gid)
