"""As whom the state folder is used."""

import os
import pwd
from pathlib import Path

from xio_slurm.errors import LedgerError, SlurmError


def become_owner(state_dir: str) -> None:
    """By hand as root, go on as the state folder's owner: root's files in it would lock SlurmUser out later.

    Raises LedgerError where there is no such folder: made by root, it would do the same.
    """
    if os.geteuid() != 0:
        return
    try:
        owner = Path(state_dir).stat()
    except FileNotFoundError:
        raise LedgerError(f"{state_dir}: isn't there: install -d -o {_slurm_user()} -m 700 {state_dir}") from None
    except OSError:
        return  # whoever uses it says why it can't be
    if owner.st_uid != 0:
        _become(owner.st_uid, owner.st_gid)


def _become(uid: int, gid: int) -> None:
    try:
        user = pwd.getpwuid(uid)
    except KeyError:
        os.setgroups([])
        os.setgid(gid)
    else:
        # With its own groups, as slurmctld starts the programs: a key may be one of them's to read.
        os.initgroups(user.pw_name, user.pw_gid)
        os.setgid(user.pw_gid)
    os.setuid(uid)


def _slurm_user() -> str:
    from xio_slurm.slurm import conf  # noqa: PLC0415  # no call of slurmctld's comes here

    try:
        return conf.read(conf.path_in_use()).get("SlurmUser") or "root"
    except SlurmError:
        return "SlurmUser"
