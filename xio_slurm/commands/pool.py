"""``xio pool``: which pools take jobs, and closing and opening them by hand."""

import json
import os
import sys
import time
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import click

from xio_slurm.commands.ems_options import ems_options, manifest_of
from xio_slurm.commands.output import json_option, tell
from xio_slurm.commands.pool_table import NODES, PoolLine, pool_lines, table
from xio_slurm.deadline import Deadline
from xio_slurm.errors import SlurmError
from xio_slurm.events import Events
from xio_slurm.manifest import Manifest
from xio_slurm.plain_text import listed, one_line
from xio_slurm.power.breaker import EVERY_POOL, Breaker
from xio_slurm.power.heartbeat import sync_is_alive
from xio_slurm.power.pool_nodes import why_closed
from xio_slurm.power.pools_by_hand import ByHand, Told
from xio_slurm.power.situation import Gate
from xio_slurm.slurm.controller import Controller
from xio_slurm.slurm.scontrol import Scontrol
from xio_slurm.slurm.states import NodeState
from xio_slurm.vms.access import ready_to_read, ready_to_write

_LOCK_SECONDS: Final = 10.0
_SLURM_SECONDS: Final = 5.0
_LONGEST_REASON: Final = 100

_all_option = click.option("--all", "every", is_flag=True, help="All pools at once, in place of POOL.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """List, close and open pools.

    A pool that is closed takes no jobs: Slurm places them in other pools of their partition, or they wait. It closes
    by itself when the EMS makes no VMs for it, and opens by itself. Run these as root or as SlurmUser.

    \b
    Examples:
      xio pool list
      xio pool close amd-8-gb-1-cores --reason "the image is made anew"
      xio pool open amd-8-gb-1-cores
    """


@command.command("list")
@click.argument("pools", metavar="[POOL]...", nargs=-1)
@ems_options
@json_option("Print one JSON document instead of a table.")
def list_command(
    *, pools: tuple[str, ...], manifest_path: Path | None, config_path: Path | None, as_json: bool
) -> None:
    """List the pools: whether they take jobs, why not, until when, and how many of their nodes are in which state.

    off: powered down, ready for a job. out: somebody took it out of use (sinfo -R says why).

    \b
    Exit codes: 0 fine, 1 something couldn't be found out, 2 wrong usage.
    \b
    Examples:
      xio pool list
      xio pool list --json | jq '.pools[] | select(.gate != "open")'
    """
    manifest = manifest_of(manifest_path, config_path)
    chosen = _known(manifest, pools) or tuple(pool.name for pool in manifest.pools)
    ready_to_read(manifest)
    by_hand = _by_hand(manifest)
    breakers = by_hand.now()
    states, problems = _states(by_hand.controller)
    lines = pool_lines(manifest, chosen, breakers, states)
    if as_json:
        click.echo(json.dumps(_document(manifest, lines, problems), indent=2))
    else:
        table(lines)
        _explain(lines)
    tell(f"xio: {problem}" for problem in problems)
    sys.exit(1 if problems else 0)


@command.command("close")
@click.argument("pools", metavar="[POOL]...", nargs=-1)
@_all_option
@click.option("--reason", "text", metavar="TEXT", required=True, help="Why; users see it in sinfo -R.")
@ems_options
@json_option("Print one JSON document instead of lines.")
def close_command(
    *,
    pools: tuple[str, ...],
    every: bool,
    text: str,
    manifest_path: Path | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Close POOLs until 'xio pool open'.

    Their powered-down nodes are drained, so that jobs go elsewhere. Nodes that are up finish their jobs.

    \b
    Exit codes: 0 closed, 1 refused, 2 wrong usage.
    \b
    Examples:
      xio pool close amd-8-gb-1-cores --reason "the image is made anew"
      xio pool close --all --reason "maintenance of the EMS"
    """
    reason = one_line(text)
    if not 0 < len(reason) <= _LONGEST_REASON:
        raise click.BadParameter(f"write 1 to {_LONGEST_REASON} characters", param_hint="--reason")
    manifest = manifest_of(manifest_path, config_path)
    chosen = _chosen(manifest, pools, every=every)
    ready_to_write(manifest)
    told = _by_hand(manifest).close(chosen, reason)
    _conclude(manifest, chosen, told, done="drained", as_json=as_json)


@command.command("open")
@click.argument("pools", metavar="[POOL]...", nargs=-1)
@_all_option
@ems_options
@json_option("Print one JSON document instead of lines.")
def open_command(
    *, pools: tuple[str, ...], every: bool, manifest_path: Path | None, config_path: Path | None, as_json: bool
) -> None:
    """Open POOLs, whatever closed them.

    Their nodes that xio-slurm took out of use are released; those that others drained stay so.

    \b
    Exit codes: 0 opened, 1 refused, 2 wrong usage.
    \b
    Examples:
      xio pool open amd-8-gb-1-cores
      xio pool open --all
    """
    manifest = manifest_of(manifest_path, config_path)
    chosen = _chosen(manifest, pools, every=every)
    ready_to_write(manifest)
    told = _by_hand(manifest).open(chosen)
    _conclude(manifest, chosen, told, done="released", as_json=as_json)


def _by_hand(manifest: Manifest) -> ByHand:
    run = f"xio-pool-{os.getpid()}-{time.time():.3f}"
    controller = Scontrol(manifest.slurm_bin_dir, timeout=_SLURM_SECONDS)
    return ByHand(manifest, controller, Events(manifest.log_dir, "xio-pool", run), Deadline.after(_LOCK_SECONDS))


def _chosen(manifest: Manifest, pools: tuple[str, ...], *, every: bool) -> tuple[str, ...]:
    if every == bool(pools):
        raise click.UsageError("name one POOL or more, or give --all")
    return (EVERY_POOL,) if every else _known(manifest, pools)


def _known(manifest: Manifest, pools: tuple[str, ...]) -> tuple[str, ...]:
    known = [pool.name for pool in manifest.pools]
    if unknown := [pool for pool in pools if pool not in known]:
        raise click.UsageError(f"{listed(unknown)}: no such pool; there are {', '.join(known)}")
    return tuple(dict.fromkeys(pools))


def _states(controller: Controller) -> tuple[Mapping[str, NodeState] | None, tuple[str, ...]]:
    try:
        return controller.every_node(), ()
    except SlurmError as error:
        return None, (f"Slurm doesn't tell its nodes: {error}",)


def _document(manifest: Manifest, lines: Iterable[PoolLine], problems: Collection[str]) -> dict[str, Any]:
    pools = [
        {
            "pool": line.pool,
            "gate": line.breaker.gate.value,
            "cause": line.breaker.cause or None,
            "reason": line.breaker.text or None,
            "since": line.breaker.since or None,
            "until": line.breaker.until,
            "with_all": line.with_all,
            "boot_failures": line.breaker.boot_failures,
            "nodes": None if line.nodes is None else {name: line.nodes.get(name, 0) for name in NODES},
        }
        for line in lines
    ]
    return {"pools": pools, "sync": sync_is_alive(manifest.state_dir, time.time()), "problems": list(problems)}


def _explain(lines: Collection[PoolLine]) -> None:
    closed: dict[str, Breaker] = {
        line.breaker.pool: line.breaker for line in lines if line.breaker.gate is not Gate.OPEN
    }
    if closed:
        click.echo()
    for breaker in closed.values():
        click.echo(_why(breaker))


def _why(breaker: Breaker) -> str:
    if breaker.gate is Gate.CLOSED:
        return why_closed(breaker)
    which = f"pool {breaker.pool}" if breaker.pool != EVERY_POOL else "all pools"
    return f"{which}: half-open, one node is let through, to see: {breaker.text}"


def _conclude(manifest: Manifest, pools: tuple[str, ...], told: Told, *, done: str, as_json: bool) -> None:
    breakers = _by_hand(manifest).now()
    every = breakers.get(EVERY_POOL, Breaker(EVERY_POOL))
    notes = [f"Slurm isn't told: {problem}: 'xio sync' tells it, or this command again" for problem in told.problems]
    if done == "released" and every.gate is Gate.CLOSED:
        notes.append(f"{why_closed(every)}: xio pool open --all")
    elif done == "drained" and not sync_is_alive(manifest.state_dir, time.time()):
        notes.append("'xio sync' isn't running: call this again when nodes that are up now are powered down")
    gates = {pool: breakers.get(pool, Breaker(pool)).gate.value for pool in pools}
    if as_json:
        changed = [
            {"pool": pool or None, "gate": gate, done: list(told.nodes.get(pool, ()))} for pool, gate in gates.items()
        ]
        click.echo(json.dumps({"pools": changed, "problems": notes}, indent=2))
    else:
        for pool, gate in gates.items():
            count = len(told.nodes.get(pool, ()))
            nodes = f", {count} node{'' if count == 1 else 's'} {done}" if pool in told.nodes else ""
            click.echo(f"{pool or 'all pools'}: {gate}{nodes}")
    tell(f"xio: {note}" for note in notes)
