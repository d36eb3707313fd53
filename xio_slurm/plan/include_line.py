"""The line of slurm.conf that includes our node definitions: put at its end, once."""

import os
import re
from pathlib import Path
from typing import Final

from xio_slurm.errors import DeployError
from xio_slurm.plan.replace_file import is_mount_point, replace_file
from xio_slurm.slurm.conf import SlurmConf, logical_lines, read

_PATH: Final = re.compile(r"/[^\s\"'\\#%]*")
"""What an Include takes as it stands: ``%c`` would be the cluster's name."""


def include_line(node_definitions: Path) -> str:
    """The line. Raises DeployError for a path that slurm.conf can't name."""
    path = str(node_definitions)
    if not _PATH.fullmatch(path) or not path.isprintable():
        raise DeployError(f"{path!r}: slurm.conf can't include a path with spaces, quotes, '\\', '#' or '%'")
    return f"include {path}"


def with_include(content: bytes, line: str) -> bytes:
    """slurm.conf's bytes with the line at their end, as a line of its own. Pure.

    The file's own ends of lines are used; a last line without one gets one, and one that is continued is ended.
    """
    newline = b"\r\n" if content.endswith(b"\r\n") or (b"\r\n" in content and not content.endswith(b"\n")) else b"\n"
    added = line.encode() + newline
    for between in (b"", newline, newline * 2):
        if content and not (content + between).endswith(b"\n"):
            continue
        changed = content + between + added
        *_, last = logical_lines(changed.decode(errors="replace").splitlines(keepends=True), "slurm.conf")
        if last.text.strip() == line:
            return changed
    raise AssertionError("two ends of lines end any line")  # pragma: no cover


def put_include(conf: SlurmConf, node_definitions: Path) -> Path | None:
    """Put the line into slurm.conf; the path of the backup, or None where some line includes the file already.

    ``conf`` is slurm.conf as it was planned with. Raises DeployError in one line; then slurm.conf is as it was.
    """
    line = include_line(node_definitions)
    path = Path(conf.path)
    try:
        content = path.read_bytes()
        now = read(conf.path, ours=str(node_definitions))
        if now.included is not None:
            return None
        if now.lines != conf.lines:
            raise DeployError(f"{path}: somebody has changed it since the plan was made: run this again")
        return replace_file(path, content, with_include(content, line))
    except OSError as error:
        raise DeployError(f"{path}: the line '{line}' can't be put into it: {error.strerror}") from error


def why_not_writable(conf: SlurmConf) -> str | None:
    """Why slurm.conf can't be replaced by who runs this, in one line, as far as a look tells."""
    real = Path(os.path.realpath(conf.path))
    if not (os.access(real.parent, os.W_OK | os.X_OK) and os.access(real, os.R_OK)):
        return f"{conf.path}: its folder {real.parent} can't be written by this user: run this as root"
    if is_mount_point(real):
        return f"{conf.path}: it is mounted by itself, so no other can take its place: put the include line by hand"
    file = real.stat()
    if os.geteuid() != 0 and (file.st_uid != os.geteuid() or file.st_gid not in {os.getegid(), *os.getgroups()}):
        return f"{conf.path}: belongs to user {file.st_uid}, group {file.st_gid}: run this as them, or as root"
    return None


def other_names(conf: SlurmConf) -> int:
    """How many hard links the file has beside this name: they keep the old content."""
    return Path(os.path.realpath(conf.path)).stat().st_nlink - 1
