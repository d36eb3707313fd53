"""The files that an image may be made with: a script, and a key to log in to the AMI with."""

import base64
import os
import shlex
import stat
from pathlib import Path
from typing import Final

from xio_slurm.errors import ImageError

MAX_SCRIPT: Final = 262_144
"""Bytes of a script. The EMS's own limit is not known; this one only catches a file given by mistake."""

MAX_KEY: Final = 65_536


def read_script(path: Path) -> str:
    """A script in base64, as the EMS takes it. Raises ImageError."""
    content = _content(path, "the script", MAX_SCRIPT)
    if not content.startswith(b"#!"):
        raise ImageError(f"{path}: the script must begin with #!")
    return base64.b64encode(content).decode()


def read_key(path: Path) -> str:
    """A private key, PEM, of a file that its owner alone can read. Raises ImageError, which never quotes it."""
    content = _content(path, "the key", MAX_KEY, private=True)
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        text = ""
    if "-----BEGIN " not in text or "PRIVATE KEY-----" not in text:
        raise ImageError(f"{path}: isn't a private key in PEM ('-----BEGIN … PRIVATE KEY-----')")
    return text


def _content(path: Path, what: str, most: int, *, private: bool = False) -> bytes:
    try:
        # Nothing to wait for where the name is a pipe's.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:  # noqa: PTH123  a descriptor, not a path
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise ImageError(f"{path}: {what} isn't a plain file")
            if private and mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise ImageError(f"{path}: others than its owner can read {what}: chmod 600 {shlex.quote(str(path))}")
            content = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "that is no file's name"
        raise ImageError(f"{path}: {what} can't be read: {reason}") from error
    if len(content) > most:
        raise ImageError(f"{path}: {what} is larger than {most // 1024} KiB")
    return content
