"""The emulators of a lab: one serves our nodes' VMs, a second the delegated family's."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from xio_slurm.lab import daemon
from xio_slurm.lab.layout import Layout
from xio_slurm.lab.processes import MARK


@dataclass(frozen=True, slots=True)
class Emulator:
    """How to start one. ``boot_seconds`` is how long a VM takes until it runs its user data; ``tls`` is the folder of
    its certificates, None for plain HTTP.

    It serves ``slurm_user`` alone, besides root and whoever starts it: it runs what it is sent.
    """

    name: str
    layout: Layout
    path: str
    slurm_user: str
    unshare: tuple[str, ...]
    boot_seconds: float
    scenario: Path | None
    tls: Path | None

    def start(self, inherited: Sequence[int] = ()) -> str:
        """Start it on a free port; its URL. Raises LabError if it doesn't serve."""
        port_file = self.layout.run / f"{self.name}.port"
        port_file.unlink(missing_ok=True)
        vm_environment = {
            "PATH": self.path,
            "SLURM_CONF": str(self.layout.slurm_conf),
            "XIO_LAB_UNSHARE": " ".join(self.unshare),
            MARK: str(self.layout.folder),
        }
        arguments = [
            *("--port", "0", "--port-file", str(port_file), "--run-user-data"),
            *("--only-user", self.slurm_user),
            *("--vm-dir", str(self.layout.vms / self.name), "--boot-seconds", f"{self.boot_seconds:g}"),
            *("--kill-grace", "0.5"),  # a VM that is deleted doesn't shut down in peace
            *(part for name, value in vm_environment.items() for part in ("--vm-env", f"{name}={value}")),
            *(("--scenario", str(self.scenario)) if self.scenario else ()),
            *(("--tls", str(self.tls)) if self.tls else ()),
        ]
        started = daemon.start(
            self.name,
            (sys.executable, "-I", "-m", "xio_slurm.commands", "emulator", *arguments),
            folder=self.layout.folder,
            output=self.layout.log / f"{self.name}.log",
            environment={"PATH": self.path},
            inherited=inherited,
        )
        started.wait(lambda: _port(port_file) is not None)
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{_port(port_file)}"


def _port(file: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(file.read_text(encoding="ascii"))
    return None
