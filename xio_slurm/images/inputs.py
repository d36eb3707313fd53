"""The files that an image may be made with: a script, and a key to log in to the AMI with."""

import base64
import os
import shlex
import stat
from pathlib import Path
from typing import Final

from xio_slurm.errors import ImageError
from xio_slurm.small_file import read_small_file

MAX_SCRIPT: Final = 262_144
"""Bytes of a script. The EMS's own limit is not known; this one only catches a file given by mistake."""

MAX_KEY: Final = 65_536


def read_script(path: Path) -> str:
    """A script in base64, as the EMS takes it. Raises ImageError."""
    content = read_small_file(path, "the script", MAX_SCRIPT, ImageError)
    if not content.startswith(b"#!"):
        raise ImageError(f"{path}: the script must begin with #!")
    return base64.b64encode(content).decode()


def read_key(path: Path) -> str:
    """A private key, PEM, of a file that its owner alone can read. Raises ImageError, which never quotes it."""

    def open_to_others(about: os.stat_result) -> str | None:
        if not about.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            return None
        return f"others than its owner can read the key: chmod 600 {shlex.quote(str(path))}"

    content = read_small_file(path, "the key", MAX_KEY, ImageError, unless=open_to_others)
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        text = ""
    if "-----BEGIN " not in text or "PRIVATE KEY-----" not in text:
        raise ImageError(f"{path}: isn't a private key in PEM ('-----BEGIN … PRIVATE KEY-----')")
    return text
