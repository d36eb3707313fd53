"""Files of our state: replaced as a whole, for their owner alone, and on the disk when the call returns."""

import os
from contextlib import suppress
from pathlib import Path

from xio_slurm.errors import LedgerError


def replace_file(path: Path, text: str) -> None:
    """Replace a file's content; whoever calls holds a lock. Raises LedgerError, with the old content intact."""
    new = path.with_suffix(".new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise LedgerError(f"{path}: can't be written: {error.strerror}") from error
