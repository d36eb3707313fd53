"""The service, where systemd runs."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xio_slurm.errors import DeployError

_SERVICE: Final = "xio-sync.service"
_RUNS: Final = Path("/run/systemd/system")
_SECONDS: Final = 240.0
"""xio sync may take TimeoutStopSec to end."""


def systemd_runs() -> bool:
    """Whether systemd is this machine's first process (sd_booted(3))."""
    return _RUNS.is_dir()


@dataclass(frozen=True, slots=True)
class Systemd:
    """``systemctl`` is its path."""

    systemctl: str = "systemctl"

    def is_enabled(self) -> bool:
        """Whether the service is started at boot."""
        return self._run("is-enabled", "--quiet", _SERVICE).returncode == 0

    def start(self) -> None:
        """Have it run as its unit says now, and at every boot. Raises DeployError."""
        self._must("daemon-reload")
        self._must("enable", _SERVICE)
        self._must("restart", _SERVICE)

    def stop(self) -> None:
        """End it, for good. Raises DeployError."""
        self._must("disable", "--now", _SERVICE)

    def forget(self) -> None:
        """Have the unit's end known. Raises DeployError."""
        self._must("daemon-reload")

    def _must(self, *arguments: str) -> None:
        ended = self._run(*arguments)
        if ended.returncode != 0:
            said = ended.stderr.strip().splitlines()
            command = " ".join(("systemctl", *arguments))
            raise DeployError(f"{command}: {said[-1] if said else f'it ends with {ended.returncode}'}")

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                (self.systemctl, *arguments), capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise DeployError(f"systemctl can't be run: {error}") from error
