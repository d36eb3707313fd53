"""``xio vm delete``: one VM's end, with as many questions as it deserves."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from xio_slurm.commands.ems_options import ems_options, manifest_of
from xio_slurm.commands.interruption import EXIT_CODE, ended_at_once
from xio_slurm.commands.output import json_option
from xio_slurm.commands.vm_ems import vms_to_change
from xio_slurm.commands.vm_node import one_node
from xio_slurm.commands.waiting import waiting
from xio_slurm.deadline import Deadline
from xio_slurm.errors import VmError
from xio_slurm.plain_text import printable
from xio_slurm.vms.access import VmAccess
from xio_slurm.vms.deletion import Doomed, delete, look_at
from xio_slurm.vms.use import Use, use_of

_TIMEOUT: Final = 300.0


@click.command("delete")
@click.argument("node", callback=one_node)
@ems_options
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--in-use", "even_in_use", is_flag=True, help="With --yes: also the VM of a node that Slurm is using.")
@click.option("--not-ours", "even_not_ours", is_flag=True, help="Also a VM that isn't ours by the ledger.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=1, max=86_400),
    default=_TIMEOUT,
    show_default=True,
    help="How long to wait until it is gone.",
)
@json_option("Print one JSON document at the end.")
def delete_command(
    *,
    node: str,
    manifest_path: Path | None,
    config_path: Path | None,
    yes: bool,
    even_in_use: bool,
    even_not_ours: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Delete the VM of NODE, and wait until the EMS has it no more.

    Asks before, and twice for a node that Slurm is using: its jobs would die. A VM that isn't ours by the ledger is
    refused without --not-ours. Slurm isn't told: to end a node's turn, 'scontrol update state=power_down' is better.

    \b
    Exit codes: 0 gone, 1 refused or not seen gone, 2 wrong usage.
    \b
    Examples:
      xio vm delete xio-test-amd-kqbwza
      xio vm delete --yes xspot-vm-amd-8-gb-1-cores-1
      xio vm delete --yes --in-use xspot-vm-amd-8-gb-1-cores-1
    """
    if not (yes or (sys.stdin is not None and sys.stdin.isatty())):
        raise click.UsageError("there is no terminal to ask on: give --yes")
    manifest = manifest_of(manifest_path, config_path)
    with vms_to_change(manifest) as access:
        with ended_at_once(), waiting(f"asking the EMS for the VM of {node} ..."):
            doomed = look_at(access, node, Deadline.after(timeout))
            if not (doomed.exists or doomed.is_ours):
                _conclude(node, "none", as_json=as_json)
                return
            use = use_of(access.manifest, node)
        _refuse(doomed, use, yes=yes, even_in_use=even_in_use, even_not_ours=even_not_ours)
        if not yes:
            _ask(doomed, use)
        _delete(access, doomed, timeout)
    _conclude(node, "gone", as_json=as_json)
    if use.in_use:
        click.echo(f"Slurm isn't told: scontrol update nodename={node} state=power_down_force", err=True)


def _refuse(doomed: Doomed, use: Use, *, yes: bool, even_in_use: bool, even_not_ours: bool) -> None:
    node = doomed.node
    if not doomed.is_ours and not even_not_ours:
        raise VmError(
            f"{node}: the VM isn't ours by the ledger, so it is left alone: --not-ours deletes it all the same"
        )
    if use.in_use and yes and not even_in_use:
        raise VmError(f"{node}: {use.words}: its jobs would die, so it is left alone: --in-use deletes it all the same")


def _ask(doomed: Doomed, use: Use) -> None:
    for question in _questions(doomed, use):
        try:
            agreed = click.confirm(question, err=True)
        except click.Abort:
            click.echo(err=True)
            sys.exit(EXIT_CODE)
        if not agreed:
            raise VmError(f"{doomed.node}: nothing was deleted")


def _questions(doomed: Doomed, use: Use) -> Iterator[str]:
    vm = doomed.vm
    state = "which the EMS doesn't show" if vm is None else "booting" if vm.address is None else printable(vm.address)
    words = f" {use.words}." if use.words else ""
    yield f"Delete the VM of {doomed.node} ({state})?{words}"
    if not doomed.is_ours:
        yield "By the ledger it isn't ours: another cluster may be using it. Really delete it?"
    if use.in_use:
        yield "Jobs on it would die. Really delete it?"


def _delete(access: VmAccess, doomed: Doomed, timeout: float) -> None:
    click.echo(f"deleting the VM of {doomed.node} ...", err=True)
    with ended_at_once(
        f"interrupted: the EMS was asked to delete {doomed.node}: 'xio vm list' shows whether it is gone"
    ):
        delete(access, doomed, Deadline.after(timeout))


def _conclude(node: str, outcome: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"node": node, "outcome": outcome}, indent=2))
    elif outcome == "none":
        click.echo(f"{node}: the EMS has no VM of this name, and the ledger none of ours")
    else:
        click.echo(f"{node}: the VM is gone")
