"""As whom the state folder is used."""

import os
from pathlib import Path


def become_owner(state_dir: str) -> None:
    """By hand as root, go on as the state folder's owner: root's files in it would lock SlurmUser out later."""
    if os.geteuid() != 0 or not Path(state_dir).is_dir():
        return
    owner = Path(state_dir).stat()
    if owner.st_uid != 0:
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)
