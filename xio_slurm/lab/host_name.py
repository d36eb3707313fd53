"""How a VM of a lab gets a host name of its own, although it runs on this host."""

import os
import subprocess
from typing import Final

_AS_ROOT: Final = ("--uts",)
# Without root, a user namespace gives the right to set the new host name, and keeps the user's own number.
_AS_USER: Final = ("--user", "--map-current-user", "--keep-caps", "--uts")

_TRIAL: Final = 'hostname xio-lab && [ "$(hostname)" = xio-lab ] && setpriv --inh-caps=-all --ambient-caps=-all true'


def unshare_arguments() -> tuple[str, ...]:
    """unshare's arguments for a VM, found by trying; empty where this machine doesn't allow it.

    Then all works but ``hostname`` in a job, which prints this host's name.
    """
    arguments = _AS_ROOT if os.getuid() == 0 else _AS_USER
    try:
        trial = subprocess.run(
            ("/usr/bin/unshare", *arguments, "/bin/sh", "-c", _TRIAL), capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return arguments if trial.returncode == 0 else ()
