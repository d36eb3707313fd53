"""Reads files that people name: whole or not at all, and never for ever."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from xio_slurm.errors import XioError


def read_small_file(
    path: Path,
    what: str,
    most: int,
    error: type[XioError],
    *,
    unless: Callable[[os.stat_result], str | None] = lambda _: None,
) -> bytes:
    """A plain file of at most ``most`` bytes. Raises ``error``, which calls the file's content ``what``.

    ``unless`` gives the reason why a file mustn't be read, by what is known of it once it is open.
    """
    try:
        # Nothing to wait for where the name is a pipe's.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        with open(descriptor, "rb") as file:  # noqa: PTH123  a descriptor, not a path
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                raise error(f"{path}: {what} isn't a plain file")
            if (why := unless(about)) is not None:
                raise error(f"{path}: {why}")
            content = file.read(most + 1)
    except (OSError, ValueError) as failed:
        reason = failed.strerror if isinstance(failed, OSError) else "that is no file's name"
        raise error(f"{path}: {what} can't be read: {reason}") from failed
    if len(content) > most:
        raise error(f"{path}: {what} is larger than {most // 1024} KiB")
    return content


def read_small_text(path: Path, what: str, most: int, error: type[XioError]) -> str:
    """The same of a text in UTF-8."""
    try:
        return read_small_file(path, what, most, error).decode()
    except UnicodeDecodeError as failed:
        raise error(f"{path}: {what} isn't UTF-8 text") from failed
