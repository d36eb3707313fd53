"""Files of our state, for their owner alone: read, replaced as a whole, or made a line longer."""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from xio_slurm.errors import LedgerError

_LARGEST: Final = 65536
"""Bytes, which no file of ours has."""


def read_file(path: Path) -> bytes:
    """The content of a file. Raises OSError, also for one that is larger than any of ours.

    In the fewest steps, here and below: between threads each gives way to another, which costs more than the step.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe in its place isn't waited for
    try:
        content = os.read(descriptor, _LARGEST)
    finally:
        os.close(descriptor)
    if len(content) == _LARGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file's content; whoever calls holds a lock, and has it on the disk when this returns.

    Raises LedgerError, with the old content intact.
    """
    new = path.with_suffix(".new")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            while content:
                content = content[os.write(descriptor, content) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise LedgerError(f"{path}: can't be written: {error.strerror}") from error


def append_line(path: Path, line: bytes, *, most: int) -> bool:
    """Add a line, without waiting for the disk; whoever calls holds a lock. Raises LedgerError.

    False, and nothing is done: there is no file, or the line would make it longer than ``most`` bytes. A line that was
    cut off before stays one by itself.
    """
    added = b"\n" + line
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise LedgerError(f"{path}: can't be written: {error.strerror}") from error
    try:
        if os.fstat(descriptor).st_size + len(added) > most:
            return False
        if os.write(descriptor, added) != len(added):
            raise LedgerError(f"{path}: can't be written: no space is left")
    except OSError as error:
        raise LedgerError(f"{path}: can't be written: {error.strerror}") from error
    finally:
        os.close(descriptor)
    return True
