"""Processes of their own without their start-up: forked from one that has imported what they need.

A second of imports for each of a hundred processes would be most of the tests' time.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from xio_slurm.commands.main import main
from xio_slurm.deadline import Deadline
from xio_slurm.ems.connection import connected
from xio_slurm.ems.parse_jobs import NewImage
from xio_slurm.images.making import ImageMaker
from xio_slurm.manifest import Manifest

_SECONDS: Final = 120

_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["__main__", __name__, "boto3", "rich.progress", "rich.table", "xio_slurm.aws.amis", "xio_slurm.commands.image"]
)


def started(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    """A process that calls a function of this file."""
    process = _FORKS.Process(target=target, args=arguments)
    process.start()
    return process


def make_image(manifest: str, name: str, ami: str) -> None:
    """For a process: the maker without the command's pauses of a second."""
    with connected(Manifest.read(manifest)) as transport:
        maker = ImageMaker(transport, say=lambda _: None, poll_seconds=0.01)
        maker.make(NewImage(name, ami), replace=True, deadline=Deadline.after(30))


def run_xio(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """``xio`` with these arguments, in this process's environment."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("stdin", "stdout", "stderr")]
        for path, text in zip(paths, (stdin, "", ""), strict=True):
            path.write_text(text)
        process = started(_xio, arguments, dict(os.environ), paths)
        process.join(_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(["xio", *arguments], _SECONDS)
        return subprocess.CompletedProcess(
            ["xio", *arguments], process.exitcode, paths[1].read_text(), paths[2].read_text()
        )


def _xio(arguments: tuple[str, ...], environ: Mapping[str, str], paths: list[Path]) -> None:
    os.environ.clear()
    os.environ.update(environ)
    for number, (path, mode) in enumerate(zip(paths, (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY), strict=True)):
        os.dup2(os.open(path, mode), number)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode) for number, mode in enumerate("rww"))
    sys.argv = ["xio", *arguments]
    main()
