"""One file at a time: looked at, put, copied with all that hangs on it, each whole or not at all."""

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from xio_slurm.deploy.installation.decide import Seen, digest
from xio_slurm.deploy.publish import sync_folder
from xio_slurm.errors import DeployError
from xio_slurm.small_file import read_small_file

_MOST: Final = 16 * 1024 * 1024


def look(path: Path) -> Seen:
    """What is there. Raises DeployError for what is neither a file nor a link, and where a look isn't allowed."""
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            return Seen(f"link:{path.readlink()}", plain=False)
    except (FileNotFoundError, NotADirectoryError):
        return Seen(None)
    except OSError as error:
        raise DeployError(f"{path}: can't be looked at: {error.strerror}: run this as root") from error
    content = digest(read_small_file(path, "what is in the place of a file of ours", _MOST, DeployError))
    return Seen(content, stat.S_IMODE(status.st_mode), status.st_uid == os.geteuid())


def put(path: Path, content: bytes, mode: int) -> None:
    """Have a file of this content and mode, of the user who runs this. Raises OSError; then the old one is there."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    new = Path(name)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  a descriptor, not a path
            file.write(content)
            os.fchmod(descriptor, mode)
            file.flush()
            os.fsync(descriptor)
        new.replace(path)
    except BaseException:
        with suppress(OSError):  # the first error is the one to tell
            new.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def copy(source: Path, path: Path) -> None:
    """Have a file or link like another: content, mode, owner, times, extended attributes. Raises OSError."""
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        new = folder / "new"
        shutil.copy2(source, new, follow_symlinks=False)
        like = source.lstat()
        if os.geteuid() == 0:
            os.chown(new, like.st_uid, like.st_gid, follow_symlinks=False)
            if not stat.S_ISLNK(like.st_mode):
                new.chmod(stat.S_IMODE(like.st_mode))  # a change of the owner takes bits away
        new.replace(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sync_folder(path.parent)
