"""``xio emulator``: an EMS on this machine, for tests and for trying things out."""

import asyncio
import contextlib
import importlib.util
import resource
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from xio_slurm.errors import EmulatorError

if TYPE_CHECKING:
    from xio_slurm.emulator import Options, RequestRecord

_DESCRIPTORS: Final = 65_536


def _variables(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise click.BadParameter("should be NAME=VALUE")
    return {name: value for name, _, value in pairs}


@click.command()
@click.option("--port", default=5000, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--address", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--scenario", type=click.Path(path_type=Path), help="Settings, faults and documents to begin with.")
@click.option("--boot-seconds", type=float, help="From the request for a VM to its address.  [default: 1]")
@click.option("--vm-addresses", default="127.77.0.0/16", show_default=True, help="Loopback network of the VMs.")
@click.option(
    "--run-user-data",
    is_flag=True,
    help="Boot a VM by RUNNING the user data it was asked for with, as you, on this machine. Whoever can reach the "
    "port can then run commands here: loopback only, and see --only-user on a machine that you share.",
)
@click.option("--only-user", multiple=True, help="Serve this user, root and yourself alone; can be repeated.")
@click.option("--vm-env", multiple=True, metavar="NAME=VALUE", callback=_variables, help="Variable for user data.")
@click.option("--vm-dir", type=click.Path(path_type=Path), help="Folder for the VMs' scripts and logs, kept.")
@click.option("--kill-grace", default=2.0, show_default=True, help="Seconds from SIGTERM to SIGKILL of a deleted VM.")
@click.option("--port-file", type=click.Path(path_type=Path), help="File to write the port to, once it listens.")
@click.option(
    "--tls",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Speak TLS, as ExostellarHeadNode, and demand a client's certificate. They are in DIR, made if it has none.",
)
@click.option("--verbose", is_flag=True, help="Print a line for each request.")
def command(
    *,
    port: int,
    address: str,
    scenario: Path | None,
    boot_seconds: float | None,
    vm_addresses: str,
    run_user_data: bool,
    only_user: tuple[str, ...],
    vm_env: dict[str, str],
    vm_dir: Path | None,
    kill_grace: float,
    port_file: Path | None,
    tls: Path | None,
    verbose: bool,
) -> None:
    """Serve the EMS's API on this machine, with faults on demand.

    It ends with Ctrl-C or SIGTERM, and all of its VMs with it. docs/emulator.md tells about faults,
    settings and scenarios.

    \b
    Examples:
      xio emulator                            an EMS on http://127.0.0.1:5000
      xio emulator --port 0 --port-file p     on a free port, which file p tells
      xio emulator --scenario no-capacity.yaml
      xio emulator --tls certs                as the Workload Optimizer's EMS
      curl -X POST http://127.0.0.1:5000/emulator/faults \\
           -d '{"effect": "status", "status": 503, "times": 2}'
    """
    if importlib.util.find_spec("aiohttp") is None:
        raise EmulatorError("the emulator needs aiohttp: pip install 'xio-slurm[emulator]'")
    from xio_slurm.emulator.options import Options  # noqa: PLC0415  # after the look for aiohttp
    from xio_slurm.emulator.scenario import Scenario, change_settings, load_scenario  # noqa: PLC0415

    start = load_scenario(scenario) if scenario else Scenario()
    if boot_seconds is not None:
        settings = change_settings(start.settings, {"boot_seconds": boot_seconds})
        start = start.model_copy(update={"settings": settings})
    options = Options(
        address=address,
        port=port,
        scenario=start,
        vm_addresses=vm_addresses,
        run_user_data=run_user_data,
        only_users=only_user,
        vm_env=vm_env,
        vm_dir=vm_dir,
        kill_grace=kill_grace,
        tls=tls,
    )
    asyncio.run(_serve(options, port_file, verbose))


async def _serve(options: "Options", port_file: Path | None, verbose: bool) -> None:
    from xio_slurm.emulator.server import Server  # noqa: PLC0415  # aiohttp takes half a second to load

    _allow_many_connections()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    server = Server(options, _print_request if verbose else None)
    try:
        await server.start()
        if port_file is not None:
            _write_port(port_file, server.port)
        click.echo(f"EMS emulator on {server.url} (Ctrl-C ends it)")
        await stop.wait()
    finally:
        await server.stop()


def _allow_many_connections() -> None:
    # Every connection and every running VM needs descriptors; the usual soft limit is 1024.
    # No more than this, since some daemons in VMs close every descriptor that their limit allows.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _write_port(port_file: Path, port: int) -> None:
    # Whole or not at all, since others wait for this file to appear.
    unfinished = port_file.with_name(f"{port_file.name}.new")
    try:
        unfinished.write_text(f"{port}\n")
        unfinished.replace(port_file)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise EmulatorError(f"{port_file}: the port can't be written there: {error.strerror}") from None


def _print_request(record: "RequestRecord") -> None:
    faults = f"  faults {','.join(map(str, record.faults))}" if record.faults else ""
    status = record.status or "no answer"
    with contextlib.suppress(BrokenPipeError):  # whoever read this has gone; the emulator goes on
        click.echo(f"{record.method} {record.path} {status} {record.seconds * 1000:.0f} ms{faults}")
