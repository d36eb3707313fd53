"""Reads a file that nobody else may read."""

import os
import pwd
import stat

from xio_slurm.errors import PasswordError


def read_private_file(path: str, most: int) -> bytes:
    """Up to ``most`` bytes from the start of a regular file that is ours or root's, and closed to all others.

    Raises PasswordError, with the command that puts it right.
    """
    try:
        # Not to wait for the other end, should it be a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError:
        raise PasswordError(f"{path}: there is no such file: see to VmRootPasswordFile") from None
    except PermissionError:
        raise PasswordError(f"{path}: {_user()} can't read it: chown {_user()} {path}") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise PasswordError(f"{path}: can't be read: {getattr(error, 'strerror', error)}") from None
    try:
        return _read(descriptor, path, most)
    finally:
        os.close(descriptor)


def _read(descriptor: int, path: str, most: int) -> bytes:
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        raise PasswordError(f"{path}: isn't a regular file: see to VmRootPasswordFile")
    if about.st_uid not in {os.geteuid(), 0}:
        raise PasswordError(f"{path}: is another user's, who could change it: chown {_user()} {path}")
    mode = stat.S_IMODE(about.st_mode)
    if mode & ~0o600:
        raise PasswordError(f"{path}: its mode {mode:04o} is too open: chmod 600 {path}")
    try:
        return os.read(descriptor, most)
    except OSError as error:
        raise PasswordError(f"{path}: can't be read: {error.strerror}") from None


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
