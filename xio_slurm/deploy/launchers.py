"""Small programs that call one of ours with its manifest.

slurmctld calls ResumeProgram by its path alone, with arguments of its own: there is no place in slurm.conf for
``--manifest``. So a cluster whose manifest lies elsewhere than the default gets a launcher of its own.
"""

import shlex
from pathlib import Path

from xio_slurm.errors import DeployError

_MAX_LAUNCHER = 65536
_MADE_BY = "# Made by xio-slurm: "


def launcher(program: Path, manifest: Path) -> str:
    """The text of a /bin/sh program that runs ``program`` for ``manifest``, whatever the environment and folder.

    Both paths must be absolute: slurmctld says nothing about the folder that it calls from. Raises DeployError
    otherwise. The file must be made executable, and writable for its owner alone: slurmctld refuses it if not.
    """
    for path in (program, manifest):
        if not path.is_absolute() or "\n" in str(path) or "\0" in str(path):
            raise DeployError(f"{str(path)!r}: a launcher needs an absolute path in one line")
    return (
        "#!/bin/sh\n"
        f"{_MADE_BY}slurmctld calls programs by their path alone, so the manifest is named here.\n"
        f'exec {shlex.quote(str(program))} --manifest {shlex.quote(str(manifest))} "$@"\n'
    )


def launches(program: Path, manifest: Path) -> bool:
    """Whether a program is a launcher for this manifest. False for one that can't be read."""
    return f"--manifest {shlex.quote(str(manifest))} " in _text(program)


def is_launcher(program: Path) -> bool:
    """Whether a program is a launcher for any manifest. False for one that can't be read."""
    return _text(program).startswith(f"#!/bin/sh\n{_MADE_BY}")


def _text(program: Path) -> str:
    try:
        with program.open("rb") as file:
            return file.read(_MAX_LAUNCHER).decode(errors="replace")
    except OSError:
        return ""
