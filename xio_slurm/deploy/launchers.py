"""Small programs that call one of ours with its manifest.

slurmctld calls ResumeProgram by its path alone, with arguments of its own: there is no place in slurm.conf for
``--manifest``. So a cluster whose manifest lies elsewhere than the default gets a launcher of its own.
"""

import shlex
from pathlib import Path

from xio_slurm.errors import DeployError

_MAX_LAUNCHER = 65536
_MADE_BY = "# Made by xio-slurm: "


def launcher(program: Path, manifest: Path, *arguments: str) -> str:
    """The text of a /bin/sh program that runs ``program`` for ``manifest``, whatever the environment and folder.

    ``arguments`` stand before all others, where ``program`` is an interpreter. Both paths must be absolute: slurmctld
    says nothing about the folder that it calls from. Raises DeployError otherwise. The file must be made executable,
    and writable for its owner alone: slurmctld refuses it if not.
    """
    for path in (program, manifest):
        if not path.is_absolute() or "\n" in str(path) or "\0" in str(path):
            raise DeployError(f"{str(path)!r}: a launcher needs an absolute path in one line")
    return (
        "#!/bin/sh\n"
        f"{_MADE_BY}slurmctld calls programs by their path alone, so the manifest is named here.\n"
        f'{_execution(program, arguments)} --manifest {shlex.quote(str(manifest))} "$@"\n'
    )


def launches(program: Path, manifest: Path) -> bool:
    """Whether a program is a launcher for this manifest. False for one that can't be read."""
    return f"--manifest {shlex.quote(str(manifest))} " in _text(program)


def manifest_of(launcher: Path) -> Path | None:
    """The manifest that a launcher names. None for what is none, or can't be read."""
    if not is_launcher(launcher):
        return None
    words = shlex.split(_text(launcher).splitlines()[-1])
    return Path(words[words.index("--manifest") + 1])


def runs(launcher: Path, program: Path, *arguments: str) -> bool:
    """Whether a file is a launcher of this very program. False for one that can't be read."""
    return is_launcher(launcher) and f"\n{_execution(program, arguments)} --manifest " in _text(launcher)


def is_launcher(program: Path) -> bool:
    """Whether a program is a launcher for any manifest. False for one that can't be read."""
    return _text(program).startswith(f"#!/bin/sh\n{_MADE_BY}")


def _execution(program: Path, arguments: tuple[str, ...]) -> str:
    return f"exec {shlex.join((str(program), *arguments))}"


def _text(program: Path) -> str:
    try:
        with program.open("rb") as file:
            return file.read(_MAX_LAUNCHER).decode(errors="replace")
    except OSError:
        return ""
