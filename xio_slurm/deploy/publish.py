"""Writes node definitions and manifest into one folder: both or neither, whatever ends us in between.

Both are first written beside their places as ``.next`` files, the manifest's last. From the moment that it is there
the two are decided: they are moved to their places, and a run that finds a ``.next`` manifest finishes the move of
one that was killed. Without it, what was left behind is thrown away. The manifest's digest of the node definitions
tells anyone who looks at the two alone that they don't belong together.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from xio_slurm.deploy.compile import Compiled, digest
from xio_slurm.errors import DeployError, ManifestError
from xio_slurm.manifest import Manifest

NODE_DEFINITIONS: Final = "xio.nodes.conf"
MANIFEST: Final = "manifest.json"

LOCK_TIMEOUT: Final = 30.0
"""Seconds to wait for another ``xio generate`` of the same folder, which takes a moment."""

LOCK: Final = ".xio-generate.lock"
APPLY_LOCK: Final = ".xio-apply.lock"
_FILE_MODE: Final = 0o644
_FOLDER_MODE: Final = 0o755


class Outcome(Enum):
    """What publishing did to the folder."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a folder holds; None for a file that isn't there. Bytes, because they may be anything."""

    node_definitions: bytes | None
    manifest: bytes | None

    def known(self) -> Manifest | None:
        """The manifest, where there is one that can be read."""
        if self.manifest is not None:
            with suppress(ManifestError):
                return Manifest.from_json(self.manifest.decode(errors="replace"), MANIFEST)
        return None


def read(folder: Path) -> Deployed:
    """What the folder holds now, or will hold once an interrupted run is finished. Changes nothing.

    Raises DeployError for a file that can't be read.
    """
    if folder.exists() and not folder.is_dir():
        raise DeployError(f"{folder}: is no folder: name the one for {NODE_DEFINITIONS} and {MANIFEST}")
    nodes, manifest = folder / NODE_DEFINITIONS, folder / MANIFEST
    try:
        if _is_decided(folder):
            nodes = next_of(nodes) if next_of(nodes).exists() else nodes
            manifest = next_of(manifest)
        return Deployed(_content(nodes), _content(manifest))
    except OSError as error:
        raise DeployError(f"{error.filename or folder}: can't be read: {error.strerror}") from error


def publish(
    folder: Path, compiled: Compiled, *, planned_on: Deployed | None = None, lock_timeout: float = LOCK_TIMEOUT
) -> Outcome:
    """Make the folder hold exactly this. Files that are right already keep their modification time.

    Replaced files keep their mode and owner; new ones are readable for everybody, as Slurm's users need them.
    ``planned_on`` is what ``read`` told when somebody was shown what would be replaced: anything else stays.
    Raises DeployError when the folder can't be written, or holds something else; what was there is then still there.
    """
    texts = (
        (folder / NODE_DEFINITIONS, compiled.node_definitions.encode()),
        (folder / MANIFEST, compiled.manifest.to_json().encode()),
    )
    try:
        if _holds(texts) and is_settled(folder):
            return Outcome.UNCHANGED  # without a lock: who may only read can ask, too
        make_folder(folder)
        with _locked(folder, lock_timeout):
            _settle(folder)
            if _holds(texts):
                return Outcome.UNCHANGED
            if planned_on is not None:
                check_unchanged(folder, planned_on)
            _replace(folder, texts)
            return Outcome.WRITTEN
    except OSError as error:
        raise DeployError(f"{folder}: the files can't be written: {error.strerror}") from error


def check_unchanged(folder: Path, planned_on: Deployed) -> None:
    """Raise DeployError if the folder doesn't hold any more what a plan was made of."""
    if read(folder) != planned_on:
        raise DeployError(f"{folder}: somebody has changed the files there since the plan was made: plan again")


def is_settled(folder: Path) -> bool:
    """Whether no interrupted run has left anything: what ``read`` tells is what the files in their places hold."""
    return not any(left.exists() for left in _leftovers(folder))


def closed_to_others(folder: Path) -> tuple[Path, ...]:
    """The folders on the way that not every user may pass. Those that publishing would make are open."""
    return tuple(path for path in (folder, *folder.parents) if path.is_dir() and not path.stat().st_mode & stat.S_IXOTH)


def _holds(texts: tuple[tuple[Path, bytes], ...]) -> bool:
    return all(_content(path) == content for path, content in texts)


def next_of(path: Path) -> Path:
    """Where a file's successor lies until both are decided."""
    return path.with_name(f".{path.name}.next")


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")


def make_folder(folder: Path) -> None:
    """Make the folder and those above it, so that Slurm's users can reach its files. Raises DeployError and OSError."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        with suppress(FileExistsError):  # another run made it just now
            path.mkdir()
            path.chmod(_FOLDER_MODE)  # whatever the umask: Slurm's users must reach the files
    if not folder.is_dir():
        raise DeployError(f"{folder}: isn't a folder")


@contextmanager
def _locked(folder: Path, timeout: float) -> Iterator[None]:
    lock = FileLock(folder / LOCK, timeout=timeout, mode=_FILE_MODE)
    try:
        lock.acquire()
    except Timeout as error:
        raise DeployError(f"{folder}: another 'xio generate' has held it for {timeout:g} s: try again") from error
    try:
        yield
    finally:
        lock.release()


def _is_decided(folder: Path) -> bool:
    """Whether an interrupted run had both files complete: its manifest is there, and its node definitions are."""
    manifest = _content(next_of(folder / MANIFEST))
    if manifest is None:
        return False
    nodes = folder / NODE_DEFINITIONS
    with suppress(ManifestError, UnicodeDecodeError):
        expected = Manifest.from_json(manifest.decode(), MANIFEST).node_definitions_digest
        candidate = _content(next_of(nodes) if next_of(nodes).exists() else nodes)
        return candidate is not None and digest(candidate) == expected
    return False


def _settle(folder: Path) -> None:
    """Finish what an interrupted run had decided, and throw away what it had not."""
    if _is_decided(folder):
        _move(folder)
    for left in _leftovers(folder):
        left.unlink(missing_ok=True)


def _replace(folder: Path, texts: tuple[tuple[Path, bytes], ...]) -> None:
    try:
        for path, content in texts:
            _prepare(path, content)
    except BaseException:
        # Not decided yet unless the manifest's .next is there, and then nothing fails any more.
        if not next_of(folder / MANIFEST).exists():
            _discard(folder)
        raise
    _move(folder)


def _discard(folder: Path) -> None:
    for left in _leftovers(folder):
        with suppress(OSError):  # the first error is the one to tell
            left.unlink(missing_ok=True)


def _leftovers(folder: Path) -> tuple[Path, ...]:
    """Every file that a run can leave behind, whether it is there or not."""
    return tuple(of(folder / name) for name in (NODE_DEFINITIONS, MANIFEST) for of in (_partial, next_of))


def _prepare(path: Path, content: bytes) -> None:
    """Write the successor's bytes to disk, with the mode and owner of the file that it will replace."""
    partial = _partial(path)
    partial.unlink(missing_ok=True)
    # O_EXCL: in a folder that others can write, the name could be a link to somewhere else.
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123  a descriptor, not a path
        file.write(content)
        _take_after(path, descriptor)
        file.flush()
        os.fsync(descriptor)
    partial.replace(next_of(path))
    sync_folder(path.parent)


def _take_after(path: Path, descriptor: int) -> None:
    try:
        old = path.lstat()
    except FileNotFoundError:
        os.fchmod(descriptor, _FILE_MODE)
        return
    if not stat.S_ISREG(old.st_mode):
        raise DeployError(f"{path}: isn't a plain file: remove it, or give the folder that it leads to")
    own = os.fstat(descriptor)
    if (old.st_uid, old.st_gid) != (own.st_uid, own.st_gid):
        try:
            os.fchown(descriptor, old.st_uid, old.st_gid)
        except PermissionError as error:
            raise DeployError(f"{path}: belongs to user {old.st_uid}, group {old.st_gid}: run this as them") from error
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _move(folder: Path) -> None:
    """Put both successors in their places; the manifest's last, because it is the mark that this isn't done yet."""
    for path in (folder / NODE_DEFINITIONS, folder / MANIFEST):
        with suppress(FileNotFoundError):  # an interrupted run had moved it
            next_of(path).replace(path)
            sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Have what was renamed in the folder on the disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
