"""Files that people and collectors read: replaced as a whole, or left as they were."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from xio_slurm.errors import XioError


def replace_whole(path: Path, text: bytes) -> None:
    """Write the file anew, readable for all; until it is whole, under a name that no collector takes.

    Raises XioError where it can't be written, and for what is no plain file: a device would be lost.
    """
    new: Path | None = None
    try:
        if path.exists() and not path.is_file():
            raise XioError(f"{path}: isn't a plain file: name another")
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".new", delete=False) as file:
            new = Path(file.name)
            file.write(text)
            os.fchmod(file.fileno(), 0o644)
        new.replace(path)
    except OSError as error:
        if new is not None:
            with suppress(OSError):
                new.unlink()
        raise XioError(f"{path}: can't be written: {error.strerror}") from error
