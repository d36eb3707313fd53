"""What pip finds where there is no network: the packages of the Python that runs this, packed as they lie there."""

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

TREE: Final = Path(__file__).parents[2]
_WHEELS: Final = Path("/var/wheels")
_OURS: Final = "xio-slurm"
_BACKEND: Final = "hatchling"
_PIP_CONF: Final = f"""[global]
no-index = true
find-links = {_WHEELS}
disable-pip-version-check = true
no-cache-dir = true
no-compile = true
"""


def to_be_found_by_pip(environment: Mapping[str, str], *, extras: tuple[str, ...] = ()) -> None:
    """Pack what this checkout needs, with ``extras`` ours itself, too, as if an index had it.

    Only on a machine of its own: /etc/pip.conf is written.
    """
    _WHEELS.mkdir()
    for each in _needed(extras):
        _pack(each)
    Path("/etc/pip.conf").write_text(_PIP_CONF)
    if extras:
        command = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", _WHEELS, ".")
        subprocess.run(command, check=True, env=environment)


def _needed(extras: tuple[str, ...]) -> Iterator[Distribution]:
    wanted = [_BACKEND, *_our_requirements(extras)]
    seen = {_OURS}
    while wanted:
        name = wanted.pop()
        if name not in seen:
            seen.add(name)
            # What isn't here isn't needed here: another system's, or another Python's.
            with suppress(PackageNotFoundError):
                found = distribution(name)
                wanted += _requirements(found)
                yield found


def _our_requirements(extras: tuple[str, ...]) -> Iterator[str]:
    project = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for text in (
        *project["dependencies"],
        *(each for name in extras for each in project["optional-dependencies"][name]),
    ):
        yield _name(text)


def _requirements(of: Distribution) -> Iterator[str]:
    return (_name(text) for text in of.requires or () if "extra ==" not in text)


def _name(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return name[0]


def _pack(of: Distribution) -> None:
    info = of.read_text("WHEEL") or ""
    tag = next(line.removeprefix("Tag: ") for line in info.splitlines() if line.startswith("Tag: "))
    name = of.metadata["Name"].replace("-", "_").replace(".", "_")
    # Stored: to pack them is quicker so, and they are read but once.
    with zipfile.ZipFile(_WHEELS / f"{name}-{of.version}-{tag}.whl", "w") as archive:
        for file in of.files or ():
            path = Path(str(of.locate_file(file)))
            # What lies outside of site-packages pip has made itself, of the entry points; and compiled, too.
            if ".." not in file.parts and path.suffix != ".pyc" and path.exists():
                archive.write(path, str(file))
