"""Who else could change the manifest, and with it what the programs do and what the VMs boot."""

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import suppress


def manifest_warnings(path: str) -> tuple[str, ...]:
    """A line where others than root and the programs' user may write the manifest."""
    try:
        about = os.stat(path)  # noqa: PTH116
    except OSError:
        return ()
    who = " and ".join(_others(about))
    return (f"{path}: {who} may write it, and so decide what VMs boot: chmod go-w {path}",) if who else ()


def _others(about: os.stat_result) -> Iterator[str]:
    if about.st_uid not in {os.geteuid(), 0}:
        yield f"its owner {_user(about.st_uid)}"
    if about.st_mode & stat.S_IWOTH:
        yield "everybody"
    elif about.st_mode & stat.S_IWGRP:
        yield f"the group {_group(about.st_gid)}"


def _user(uid: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def _group(gid: int) -> str:
    with suppress(KeyError):
        return grp.getgrgid(gid).gr_name
    return str(gid)
