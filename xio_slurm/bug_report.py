"""A bug of ours leaves a file to send, and not a traceback in somebody's log."""

import os
import platform
import sys
import tempfile
import traceback
from datetime import UTC, datetime

from xio_slurm import __version__


def write_bug_report(error: BaseException) -> str:
    """Leave a file with what is needed to find the bug; what to tell the user, in one line.

    The program's arguments are left out: one of them could be a secret.
    """
    what = f"this is a bug of xio-slurm ({type(error).__name__})"
    text = (
        f"xio-slurm {__version__}, Python {sys.version}, {platform.platform()}\n"
        f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, uid {os.getuid()}\n\n"
        f"{''.join(traceback.format_exception(error))}"
    )
    try:
        with tempfile.NamedTemporaryFile("w", prefix="xio-bug-", suffix=".txt", delete=False) as file:
            file.write(text)
    except OSError as full:
        return f"{what}, and its report can't be written ({full.strerror}): {error}".replace("\n", " ")
    return f"{what}: please send {file.name}"
