"""How an emulator is started. Nothing here can be changed while it runs, and nothing of it over HTTP."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from xio_slurm.emulator.scenario import Scenario
from xio_slurm.errors import EmulatorError

_LOOPBACK: Final = ipaddress.IPv4Network("127.0.0.0/8")


@dataclass(frozen=True)
class Options:
    """Where the emulator listens, and whether its VMs are real processes.

    ``port`` 0 takes a free one. ``run_user_data`` executes what is POSTed, as the emulator's own user, so it is
    refused on any address but loopback; ``only_users`` keeps this machine's other users out, and is empty for all.
    ``vm_env`` is added to the environment of every VM's user data,
    ``vm_dir`` holds scripts and logs (None: a temporary folder that goes with the emulator), and a deleted VM's
    processes have ``kill_grace`` seconds between SIGTERM and SIGKILL. With ``tls``, a folder of certificates, it speaks
    TLS and demands a certificate of its clients.
    """

    address: str = "127.0.0.1"
    port: int = 0
    scenario: Scenario = field(default_factory=Scenario)
    vm_addresses: str = "127.77.0.0/16"
    run_user_data: bool = False
    only_users: tuple[str, ...] = ()
    vm_env: Mapping[str, str] = field(default_factory=dict)
    vm_dir: Path | None = None
    kill_grace: float = 2.0
    tls: Path | None = None

    def checked(self) -> Self:
        """These options; raises EmulatorError for what can't or must not be done."""
        try:
            listens_on = ipaddress.ip_address(self.address)
        except ValueError:
            raise EmulatorError(f"--address {self.address}: not an IP address; try 127.0.0.1") from None
        if self.run_user_data and not listens_on.is_loopback:
            raise EmulatorError(
                f"--run-user-data on {self.address} would let the network run commands here: listen on 127.0.0.1"
            )
        if not 0 <= self.port <= 65535:
            raise EmulatorError(f"--port {self.port}: not between 0 and 65535")
        if self.kill_grace < 0:
            raise EmulatorError(f"--kill-grace {self.kill_grace}: seconds can't be negative")
        self.vm_network()
        return self

    def vm_network(self) -> ipaddress.IPv4Network:
        """The addresses that VMs get; raises EmulatorError unless all of them are loopback addresses."""
        try:
            network = ipaddress.IPv4Network(self.vm_addresses)
        except ValueError as error:
            raise EmulatorError(f"--vm-addresses {self.vm_addresses}: {error}; try 127.77.0.0/16") from None
        if not network.subnet_of(_LOOPBACK) or not 8 <= network.prefixlen <= 29:
            raise EmulatorError(f"--vm-addresses {network}: must lie in 127.0.0.0/8, /8 to /29, as 127.77.0.0/16 does")
        return network
