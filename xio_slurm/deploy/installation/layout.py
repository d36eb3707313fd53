"""Where things belong on a machine: two kinds of cluster, and a folder in place of ``/``."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xio_slurm.deploy.programs import INSTALL_FOLDERS
from xio_slurm.deploy.publish import MANIFEST

UNIT: Final = "/etc/systemd/system/xio-sync.service"
LOGROTATE: Final = "/etc/logrotate.d/xio-slurm"
COMMAND: Final = "/usr/local/bin/xio"
RECORD: Final = "install.json"
REPLACED: Final = "replaced"
"""Beside the record: what was in the places of our files before, below its own path."""


@dataclass(frozen=True, slots=True)
class Layout:
    """``programs`` is where slurmctld's go; ``folder`` has the manifest and the record of the installation."""

    name: str
    programs: str
    folder: str
    slurm_conf: str

    @property
    def manifest(self) -> str:
        """The manifest, unless somebody says another."""
        return f"{self.folder}/{MANIFEST}"

    @property
    def record(self) -> str:
        """What was put where."""
        return f"{self.folder}/{RECORD}"


_SHARED, _LOCAL = map(str, INSTALL_FOLDERS)
PLAIN: Final = Layout("plain", _LOCAL, "/etc/xio", "/etc/slurm/slurm.conf")
PARALLELCLUSTER: Final = Layout("parallelcluster", _SHARED, _SHARED, "/opt/slurm/etc/slurm.conf")
LAYOUTS: Final = {layout.name: layout for layout in (PLAIN, PARALLELCLUSTER)}


@dataclass(frozen=True, slots=True)
class Root:
    """The folder that stands for ``/``, as packagers' DESTDIR: files are put into it, and speak of ``/``."""

    folder: Path = Path("/")

    @property
    def is_machine(self) -> bool:
        """Whether it is this machine's own."""
        return self.folder == Path("/")

    def at(self, path: str) -> Path:
        """Where a path of the machine lies."""
        return self.folder / path.lstrip("/")


def fitting(exists: Callable[[str], bool]) -> Layout:
    """The layout of a machine: ParallelCluster's head node has both of its folders."""
    both = exists("/opt/parallelcluster") and exists("/opt/slurm/etc")
    return PARALLELCLUSTER if both else PLAIN
