"""The command ``xio``: finds the subcommand, and turns what goes wrong into one line and an exit code.

Exit codes: 0 fine, 1 a problem told in one line each, 2 wrong usage, 3 a bug of ours (with a report file),
130 interrupted.
"""

import errno
import importlib
import os
import sys
from typing import Final

import click

from xio_slurm import __version__
from xio_slurm.bug_report import write_bug_report
from xio_slurm.commands.output import tell
from xio_slurm.errors import XioError

SUBCOMMANDS: Final = {
    "check": "Check a configuration file and tell all of its problems at once.",
    "plan": "Show what would change on the EMS and in Slurm.",
    "apply": "Make the EMS and Slurm be as the configuration says.",
    "generate": "Compile a configuration into node definitions and manifest.",
    "install": "Put programs, service and folders where a cluster needs them.",
    "upgrade": "Have a cluster use this xio-slurm in place of the installed one.",
    "uninstall": "Take away what install and apply have put on this machine.",
    "spot-score": "Show where EC2 has spot capacity for what is configured.",
    "image": "Make, list, show and delete the images on the EMS that VMs start from.",
    "vm": "Test, list, show and delete VMs.",
    "pool": "List, close and open pools.",
    "status": "Show how all pools are on one screen, live with --watch.",
    "metrics": "Print what Prometheus and Grafana show of the pools.",
    "report": "Write a page for people: VMs, boots, failures and cost of a period.",
    "explain": "Say why a node, a job or a pool is as it is, and what to do.",
    "doctor": "Say what isn't as it must be, and what mends it.",
    "sync": "Make true what Slurm wants of its nodes, whatever failed: the service.",
    "emulator": "Serve the EMS's API on this machine, with faults on demand.",
    "lab": "Run a throw-away Slurm cluster on this machine.",
}
"""Name → the line that ``xio --help`` shows, so that the help loads no subcommand's libraries."""


_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})


class _Subcommands(click.Group):
    """Loads ``xio_slurm.commands.<name>.command`` when it is asked for: start-up pays for one subcommand alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBCOMMANDS:
            return None
        module = importlib.import_module(f"xio_slurm.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))


@click.command(cls=_Subcommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="xio")
def xio() -> None:
    """Run a Slurm cluster's jobs on Exostellar (XIO) virtual machines.

    \b
    Examples:
      xio check etc/xio.yaml             is my configuration right?
      xio plan                           what would change on the EMS, in Slurm?
      xio apply                          make it so
      xio generate -c etc/xio.yaml -o .  node definitions and manifest
      xio lab up                         a throw-away Slurm to try it on
    """


def main() -> None:
    """Entry point of ``xio``."""
    color = False if os.environ.get("NO_COLOR") else None  # no-color.org; click itself doesn't know it
    try:
        sys.exit(xio(prog_name="xio", color=color, standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("xio: interrupted", err=True)
        sys.exit(130)
    except XioError as error:
        tell(f"xio: {line}" for line in str(error).splitlines())
        sys.exit(1)
    except Exception as error:  # the last resort: a bug becomes a report, not a traceback
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            click.echo(f"xio: the output can't be written: {error.strerror}", err=True)
            sys.exit(1)
        click.echo(f"xio: {write_bug_report(error)}", err=True)
        sys.exit(3)
