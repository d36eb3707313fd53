"""The line of slurm.conf that includes our node definitions: put at its end, once."""

import os
import re
from pathlib import Path
from typing import Final

from xio_slurm.errors import DeployError
from xio_slurm.plan.replace_file import backups, is_mount_point, replace_file
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


def without_include(content: bytes, line: str) -> bytes | None:
    """slurm.conf's bytes without the line; None where no line is just this one. Pure.

    An end of line that was put before it stays: ``with_include`` doesn't tell.
    """
    lines = content.splitlines(keepends=True)
    others = [each for each in lines if each.decode(errors="replace").strip() != line]
    return b"".join(others) if len(others) < len(lines) else None


def take_include(conf: SlurmConf, node_definitions: Path) -> None:
    """Take the line out of slurm.conf, which is then as it was before ``put_include``, and the backups of that go.

    Raises DeployError in one line; then slurm.conf is as it was.
    """
    line = include_line(node_definitions)
    real = Path(os.path.realpath(conf.path))
    try:
        content = real.read_bytes()
        before = without_include(content, line)
        if before is None:
            where = conf.included_at or conf.path
            raise DeployError(f"{where}: isn't the line of 'xio apply': take it out by hand")
        made_of = [backup for backup in backups(real) if with_include(backup.read_bytes(), line) == content]
        before = made_of[0].read_bytes() if made_of else before
        replace_file(real, content, before).unlink()
        for backup in made_of:
            backup.unlink()
    except OSError as error:
        raise DeployError(f"{real}: the line '{line}' can't be taken out of it: {error.strerror}") from error


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
