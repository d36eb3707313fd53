"""A configuration, deployed into a lab: as ``xio generate`` does it, with the lab's own places and times."""

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from msgspec import structs

from xio_slurm.config.access import XWO_TLS
from xio_slurm.config.model import Config
from xio_slurm.deploy.compile import compile_config, read_user_data
from xio_slurm.deploy.launchers import launcher
from xio_slurm.deploy.programs import RESUME, RESUME_FAIL, SUSPEND, Programs, installed_bin, interpreter
from xio_slurm.deploy.publish import NODE_DEFINITIONS, publish
from xio_slurm.lab import folder
from xio_slurm.lab.account import Account
from xio_slurm.lab.layout import Layout
from xio_slurm.lab.options import QUICK_RECOVERY, LabOptions
from xio_slurm.lab.ports import nodes_in, with_ports
from xio_slurm.lab.slurm_conf import CLUSTER
from xio_slurm.manifest import Delegates, Tls
from xio_slurm.slurm.conf import in_place_of

USER_DATA = Path(__file__).parent / "user-data.sh"
_CA: Final = "ExostellarRootCA.crt"
_CLIENT: Final = "ExostellarClient.pem"


def adapted(config: Config, options: LabOptions, layout: Layout, bin_dir: Path) -> Config:
    """The configuration with the lab's own settings, but for the EMS's URL."""
    plugin = replace(
        config.plugin,
        state_dir=str(layout.ledger),
        log_dir=str(layout.log),
        slurm_bin_dir=str(bin_dir),
        program_dir=str(layout.bin),
        user_data_template=str(USER_DATA),
        vm_hook_script=None,
        resume_timeout=options.timing.resume_timeout,
        suspend_timeout=options.timing.suspend_timeout,
        suspend_time=options.timing.suspend_time,
        resume_rate=options.timing.resume_rate,
        suspend_rate=options.timing.suspend_rate,
        delegates=_delegates(options, layout),
        recovery=options.recovery or (QUICK_RECOVERY if options.sync else config.plugin.recovery),
    )
    # A lab asks nothing of AWS; and its VMs, which are processes of this machine, set nobody's password.
    has_secret = config.root_password is not None and config.root_password.secret is not None
    return replace(
        config,
        file=str(layout.config),
        cluster=config.cluster or CLUSTER,
        plugin=plugin,
        root_password=None if has_secret else config.root_password,
    )


def with_ems(config: Config, url: str, layout: Layout) -> Config:
    """The configuration with the emulator as its EMS."""
    trust = tls(layout) if url.startswith("https:") else Tls(None, None, None, None)
    plugin = replace(config.plugin, ems_url=url, ems_proxy=None, tls=trust)
    return replace(config, plugin=plugin)


def tls(layout: Layout) -> Tls:
    """How the emulator is trusted, where it speaks TLS."""
    folder = layout.certificates
    return structs.replace(XWO_TLS, ca_file=str(folder / _CA), client_certificate=str(folder / _CLIENT))


def give_certificate(layout: Layout, account: Account) -> None:
    """Let SlurmUser read the client's key, which is the emulator's user's alone."""
    os.chown(layout.certificates / _CLIENT, account.uid, account.gid)


def write(config: Config, layout: Layout, first_port: int) -> int:
    """Write node definitions, manifest and programs; how many ports the nodes have got. Raises DeployError."""
    compiled = compile_config(config, Programs.in_folder(layout.bin), read_user_data(config))
    publish(layout.etc, compiled)
    with_places = with_ports(compiled.node_definitions, first_port)
    folder.write(layout.node_definitions, in_place_of(str(layout.etc / NODE_DEFINITIONS)) + with_places)
    for name in (RESUME, SUSPEND, RESUME_FAIL):
        folder.write(layout.bin / name, launcher(installed_bin() / name, layout.manifest), mode=0o755)
    command = shlex.join((str(interpreter()), "-I", "-m", "xio_slurm.commands"))
    folder.write(layout.bin / "xio", f'#!/bin/sh\nexec {command} "$@"\n', mode=0o755)
    return len(nodes_in(compiled.node_definitions))


def write_delegated_programs(layout: Layout, url: str) -> None:
    """Write the second family's programs, and where its cloud is."""
    folder.write(layout.delegated_url, f"{url}\n")
    for action in ("resume", "suspend"):
        command = shlex.join((sys.executable, "-I", "-m", "xio_slurm.lab.delegated", action, str(layout.folder)))
        folder.write(_delegated_program(layout, action), f'#!/bin/sh\nexec {command} "$1"\n', mode=0o755)


def _delegates(options: LabOptions, layout: Layout) -> Delegates:
    if not options.delegated_nodes:
        return Delegates(resume=None, suspend=None, resume_fail=None)
    suspend = str(_delegated_program(layout, "suspend"))
    return Delegates(resume=str(_delegated_program(layout, "resume")), suspend=suspend, resume_fail=suspend)


def _delegated_program(layout: Layout, action: str) -> Path:
    return layout.bin / f"pc-{action}"
