"""Runs the shipped playbooks on this machine, without a network."""

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_TREE: Final = Path(__file__).parents[2]
_BIN: Final = Path(sys.executable).parent
PLAYBOOKS: Final = _TREE / "etc" / "ansible"


def environment(home: Path, **others: str) -> dict[str, str]:
    """Ansible's, with all that it keeps in ``home``; what asks beyond loopback is refused."""
    path = f"{_BIN}:{os.environ['PATH']}"
    own = {"HOME": str(home), "ANSIBLE_HOME": str(home / "ansible"), "LC_ALL": "C.UTF-8", "PATH": path}
    nowhere = {f"{name}_proxy": "http://127.0.0.1:9" for name in ("http", "https", "all")}
    return {**own, **nowhere, "ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_NOCOLOR": "1", **others}


def play(
    name: str, variables: Mapping[str, Any], env: Mapping[str, str], *options: str, wrapped: tuple[str, ...] = ()
) -> str:
    """Run a playbook of ``etc/ansible`` on localhost; its output. Raises AssertionError where it fails."""
    given = {"xio_slurm_hosts": "localhost", "ansible_python_interpreter": "/usr/bin/python3", **variables}
    command = (_BIN / "ansible-playbook", "-i", "localhost,", "-c", "local", "-e", json.dumps(given), PLAYBOOKS / name)
    ended = subprocess.run(
        (*wrapped, *command),
        env=env,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def changed(output: str) -> int:
    """How many tasks changed something."""
    (count,) = re.findall(r"\bchanged=(\d+)", output)
    return int(count)


def wheel(folder: Path) -> Path:
    """This tree as pip installs it where no index is: the libraries are those of the Python that runs this."""
    project = tomllib.loads((_TREE / "pyproject.toml").read_text())
    info = "xio_slurm-99.dist-info"
    programs = "".join(f"{name} = {target}\n" for name, target in project["project"]["scripts"].items())
    files = {
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: xio-slurm\nVersion: 99\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{programs}",
        "libraries.pth": "".join(f"{path}\n" for path in sys.path if path.endswith("site-packages")),
    }
    made = folder / "xio_slurm-99-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for part, place in (("xio_slurm", "xio_slurm"), ("etc", "xio_slurm/etc")):
            for path in (_TREE / part).rglob("*"):
                if path.is_file() and "__pycache__" not in path.parts:
                    archive.write(path, f"{place}/{path.relative_to(_TREE / part)}")
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in (*archive.namelist(), f"{info}/RECORD")))
    return made
