"""One at a time: whoever installs holds a lock that leaves no file."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from xio_slurm.deploy.installation.layout import Root
from xio_slurm.errors import DeployError


@contextmanager
def locked(root: Root) -> Iterator[None]:
    """Hold it. Raises DeployError while another holds it, and OSError."""
    descriptor = os.open(root.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise DeployError("another 'xio install', 'upgrade' or 'uninstall' is at work: wait for it") from error
    finally:
        os.close(descriptor)
