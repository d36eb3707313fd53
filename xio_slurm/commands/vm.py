"""``xio vm``: the VMs of the EMS, ours and others'."""

import json
import logging
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
from msgspec import structs

from xio_slurm.commands.ems_options import ems_options, manifest_of
from xio_slurm.commands.interruption import ended_at_once
from xio_slurm.commands.output import json_option, tell
from xio_slurm.commands.vm_delete import delete_command
from xio_slurm.commands.vm_ems import vms_to_see
from xio_slurm.commands.vm_node import one_node
from xio_slurm.commands.vm_table import age, table
from xio_slurm.commands.vm_test import test_command
from xio_slurm.commands.waiting import waiting
from xio_slurm.deadline import Deadline
from xio_slurm.errors import VmError
from xio_slurm.ledger import Entry
from xio_slurm.plain_text import printable
from xio_slurm.vms.answer import lines, shown
from xio_slurm.vms.deletion import Doomed, look_at
from xio_slurm.vms.owner import whose
from xio_slurm.vms.survey import VmSurvey, named_like_ours, survey

_TIMEOUT: Final = 60.0
"""Seconds that a list or a look may take in all."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Test, list, show and delete VMs.

    Which VMs are this cluster's, the ledger in the state folder says: names prove nothing, and an EMS can serve
    several clusters. Run these as root or as SlurmUser.

    \b
    Examples:
      xio vm test --pool amd-8-gb-1-cores     does the EMS make VMs?
      xio vm list
      xio vm show xspot-vm-amd-8-gb-1-cores-1
      xio vm delete xspot-vm-amd-8-gb-1-cores-1
    """
    # A deletion's warnings are steps on its way; how it ends is told here in a line.
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("xio: %(message)s"))
    handler.setLevel(logging.ERROR)
    logging.getLogger("xio_slurm").addHandler(handler)


command.add_command(test_command)
command.add_command(delete_command)


@command.command("list")
@ems_options
@click.option("--all", "with_others", is_flag=True, help="Name other clusters' VMs too, instead of counting them.")
@json_option("Print one JSON document instead of a table.")
def list_command(*, manifest_path: Path | None, config_path: Path | None, with_others: bool, as_json: bool) -> None:
    """List the VMs of the EMS: ours, those that only bear a name of ours, and how many others there are.

    missing: the ledger calls it ours, and the EMS has none of the name. listed: the EMS lists it, and has none when
    it is asked for it alone.

    \b
    Exit codes: 0 fine, 1 something couldn't be found out, 2 wrong usage.
    \b
    Examples:
      xio vm list
      xio vm list --all
      xio vm list --json | jq '.vms[] | select(.whose == "ours") | .node'
    """
    with (
        ended_at_once(),
        waiting("asking the EMS for its VMs ..."),
        vms_to_see(manifest_of(manifest_path, config_path)) as access,
    ):
        found = survey(access, Deadline.after(_TIMEOUT))
    if as_json:
        click.echo(json.dumps(_document(found, with_others=with_others), indent=2))
    else:
        _print(found, with_others=with_others)
    tell(f"xio: {line}" for line in found.problems)
    if found.problems:
        sys.exit(1)


@command.command("show")
@click.argument("node", callback=one_node)
@ems_options
@json_option("Print one JSON document instead of lines.")
def show_command(*, node: str, manifest_path: Path | None, config_path: Path | None, as_json: bool) -> None:
    """Show all that the EMS and the ledger say of the VM of NODE.

    User data isn't shown: it can hold a password.

    \b
    Exit codes: 0 shown, 1 neither knows it or one can't be asked, 2 wrong usage.
    \b
    Examples:
      xio vm show xspot-vm-amd-8-gb-1-cores-1
      xio vm show --json xspot-vm-amd-8-gb-1-cores-1
    """
    with (
        ended_at_once(),
        waiting(f"asking the EMS for the VM of {node} ..."),
        vms_to_see(manifest_of(manifest_path, config_path)) as access,
    ):
        known = look_at(access, node, Deadline.after(_TIMEOUT))
        owner = whose(known.entry, named_like_ours=named_like_ours(access, node)) if known.exists else None
    if not known.exists and known.entry is None:
        raise VmError(f"{node}: the EMS has no VM of this name, and the ledger doesn't know it")
    if as_json:
        document = {"node": node, "whose": owner, "ems": _ems_document(known), "ledger": _ledger_document(known.entry)}
        click.echo(json.dumps(document, indent=2))
        return
    for line in _show_lines(known, owner):
        click.echo(line)


def _ledger_document(entry: Entry | None) -> dict[str, Any] | None:
    return {**structs.asdict(entry), "run": structs.asdict(entry.run)} if entry is not None else None


def _ems_document(known: Doomed) -> dict[str, Any] | None:
    if known.listed:
        return {"state": "listed", "address": None, "controller": None, "controller_address": None, "answer": None}
    if known.vm is None:
        return None
    vm = known.vm
    return {
        "state": "up" if vm.address is not None else "booting",
        "address": vm.address,
        "controller": vm.controller,
        "controller_address": vm.controller_address,
        "answer": shown(vm.answer),
    }


def _show_lines(known: Doomed, owner: str | None) -> Iterable[str]:
    yield click.style(known.node, bold=True)
    if known.listed:
        yield f"EMS: lists it, and has none when it is asked for it alone, {_OWNERS[owner or 'others']}"
    elif known.vm is None:
        yield "EMS: has no VM of this name"
    else:
        yield f"EMS: {'up' if known.vm.address is not None else 'booting'}, {_OWNERS[owner or 'others']}"
        yield from (f"  {line}" for line in lines(known.vm.answer))
    entry = known.entry
    if entry is None:
        yield "Ledger: doesn't know it"
        return
    yield f"Ledger: {_PHASES[entry.phase]}"
    yield f"  asked {age(time.time() - entry.asked)} ago, attempt {entry.attempts}, pool {entry.pool or 'unknown'}"
    yield f"  last change by {entry.run.id}"
    if entry.ems_job is not None:
        yield from (f"  {line}" for line in lines({"job of the EMS": entry.ems_job}))
    if entry.unanswered:
        yield "  an ask was never answered: a VM that appears is ours"
    if entry.error is not None:
        yield f"  last error: {entry.error}"


_OWNERS: Final = {
    "ours": "ours by the ledger",
    "foreign": "not made by this cluster, though it bears a name of ours",
    "others": "another's",
}
_PHASES: Final = {
    "asking": "the EMS was asked for it, and the answer isn't known",
    "ours": "ours",
    "deleting": "ours, to be gone, and not seen gone yet",
    "gone": "no VM of ours",
    "foreign": "a VM of this name exists that this cluster didn't make",
}


def _document(found: VmSurvey, *, with_others: bool) -> dict[str, object]:
    now = time.time()
    vms = [
        {**asdict(vm), "age_seconds": None if vm.asked is None else round(max(0.0, now - vm.asked), 1)}
        for vm in found.known
    ]
    names = {"others": list(found.others)} if with_others else {}
    return {"vms": vms, "others_count": len(found.others), **names, "problems": list(found.problems)}


def _print(found: VmSurvey, *, with_others: bool) -> None:
    ours = [vm for vm in found.known if vm.whose == "ours"]
    foreign = [vm for vm in found.known if vm.whose == "foreign"]
    if not (found.known or found.others):
        click.echo("The EMS has no VMs.")
        return
    if ours:
        table(ours, time.time())
    else:
        click.echo("No VMs of ours.")
    if foreign:
        click.echo("\nNamed like ours, and not made by this cluster:")
        for vm in foreign:
            click.echo(f"  {printable(vm.node)}")
    if found.others:
        count = len(found.others)
        hint = ":" if with_others else " (--all names them)"
        click.echo(f"\n{count} VM{'' if count == 1 else 's'} of others{hint}")
    if with_others:
        for name in found.others:
            click.echo(f"  {printable(name)}")
