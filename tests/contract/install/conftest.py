"""A machine in a folder, and ``xio`` on it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

SLURM_CONF = "ClusterName=x\nSlurmUser=nobody\n"

Tree = Mapping[str, tuple[str, int, int, float | None]]


@dataclass(frozen=True)
class Machine:
    """``root`` stands for its ``/``."""

    root: Path

    def xio(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run ``xio <command> --root …``."""
        command, *others = arguments
        return subprocess.run(
            (sys.executable, "-I", "-m", "xio_slurm.commands", command, "--root", self.root, *others),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={"PATH": os.environ["PATH"]},
        )

    def ok(self, *arguments: str | Path) -> str:
        """The same where it must end well; what it prints."""
        ended = self.xio(*arguments)
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr == ""
        return ended.stdout

    def at(self, path: str) -> Path:
        """Where a path of the machine is."""
        return self.root / path.lstrip("/")

    def tree(self) -> Tree:
        """All that is on it: content, mode, owner, a file's time."""
        found = {}
        for path in self.root.rglob("*"):
            status = path.lstat()
            if path.is_symlink():
                what = f"link to {path.readlink()}"
            else:
                what = path.read_text() if path.is_file() else "folder"
            plain = path.is_file() and not path.is_symlink()
            found[str(path)] = (what, status.st_mode, status.st_uid, status.st_mtime if plain else None)
        return found


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A plain cluster's controller."""
    made = Machine(tmp_path / "root")
    made.at("/etc/slurm").mkdir(parents=True)
    made.at("/etc/slurm/slurm.conf").write_text(SLURM_CONF)
    return made
