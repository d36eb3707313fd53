"""What a command prints, made by a process of its own.

Reading makes us SlurmUser for good, who can't write wherever the caller, often root, can.
"""

import subprocess
import sys
from pathlib import Path


def printed(
    *command: str, manifest_path: Path | None, config_path: Path | None, timeout: float | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run ``xio`` with the command. Raises TimeoutExpired after ``timeout`` seconds."""
    options = (("--manifest", manifest_path), ("-c", config_path))
    given = (word for option, value in options if value is not None for word in (option, str(value)))
    xio = (sys.executable, "-m", "xio_slurm.commands")
    return subprocess.run((*xio, *command, *given), stdout=subprocess.PIPE, timeout=timeout, check=False)
