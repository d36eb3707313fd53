"""What pages presume of the machine on which somebody reads them."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.documentation import wheels
from tests.documentation.wheels import TREE

_PATH: Final = "/opt/slurm/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_PIP: Final = {"PIP_CONFIG_FILE": "/etc/pip.conf"}
"""It comes after root's own file."""


def environment(**others: str) -> dict[str, str]:
    """What root's shell has."""
    return {"HOME": "/root", "PATH": _PATH, "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "TERM": "dumb", **_PIP, **others}


@contextmanager
def checkout() -> Iterator[Mapping[str, str]]:
    """A clone of the repository, in which somebody works: its commands are on PATH, and files of theirs lie there."""
    os.chdir(TREE)
    for name in ("my.yaml", "other.yaml"):
        shutil.copy("etc/xio.yaml", name)
    set_up()
    # What is here is new enough: a newer one can't be had without a network.
    Path("/etc/apt/apt.conf.d/99-no-upgrade").write_text('APT::Get::Upgrade "false";\n')
    yield environment(PATH=f"{TREE}/bin:{_PATH}")


@contextmanager
def emulator() -> Iterator[Mapping[str, str]]:
    """An active virtual environment of somebody's, whose pip finds packages without a network."""
    with checkout():
        wheels.to_be_found_by_pip(environment(), extras=("emulator",))
        folder = Path("/root/venv")
        subprocess.run(("/usr/bin/python3", "-m", "venv", folder), check=True)
        yield environment(PATH=f"{folder}/bin:{_PATH}", VIRTUAL_ENV=str(folder))


def set_up() -> None:
    """Have ``bin/setup`` find its environment as it wants it, whatever these tests were started by."""
    made = (TREE / ".venv" / ".python").read_text().strip()
    with (TREE / "pyproject.toml").open("rb") as file:
        sum_of_it = subprocess.run(("/usr/bin/cksum",), stdin=file, check=True, capture_output=True, text=True).stdout
    (TREE / ".venv" / ".made-of-dev").write_text(f"{made} {sum_of_it}")
