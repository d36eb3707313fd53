"""``xio vm test``: does the EMS make VMs, and how long does it take?"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from xio_slurm.commands.ems_options import ems_options, manifest_of, options_again
from xio_slurm.commands.interruption import EXIT_CODE, interruptible
from xio_slurm.commands.output import json_option, with_command
from xio_slurm.commands.ticking import Ticking
from xio_slurm.commands.vm_ems import vms_to_change
from xio_slurm.commands.waiting import waiting
from xio_slurm.deadline import Deadline
from xio_slurm.ems.vms import NewVm
from xio_slurm.errors import VmError
from xio_slurm.manifest import Manifest
from xio_slurm.plain_text import printable
from xio_slurm.power.user_data import encode
from xio_slurm.small_file import read_small_text
from xio_slurm.vms.names import new_test_name
from xio_slurm.vms.survey import tests_left
from xio_slurm.vms.trial import TrialResult, VmTrial

_EMPTY_SCRIPT = "#!/bin/sh\n"
_MAX_USER_DATA = 262_144
_LIST_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the options say of the VM; None where they leave it to the pool."""

    pool: str | None
    profile: str | None
    image: str | None
    cpus: int | None
    memory: int | None
    volume_size: int | None


@click.command("test")
@click.option("--pool", metavar="POOL", help="Make a VM of this pool of the manifest.")
@click.option("--profile", metavar="NAME", help="The EMS profile, instead of the pool's.")
@click.option("--image", metavar="NAME", help="The EMS image, instead of the pool's.")
@click.option("--cpus", metavar="N", type=click.IntRange(min=1), help="CPUs, instead of the pool's.")
@click.option("--memory", metavar="MIB", type=click.IntRange(min=1), help="Memory in MiB, instead of the pool's.")
@click.option(
    "--volume-size", metavar="GB", type=click.IntRange(min=1), help="The root disk. [default: the pool's, or 10]"
)
@click.option(
    "--user-data",
    "user_data_path",
    metavar="FILE",
    type=click.Path(path_type=Path, readable=False),
    help="A script that the VM boots with. [default: an empty one]",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=1, max=86_400),
    default=600.0,
    show_default=True,
    help="How long the VM may take to come up, and again to go.",
)
@click.option("--keep", is_flag=True, help="Leave the VM, and say how to delete it.")
@ems_options
@json_option("Print one JSON document at the end; steps go to stderr.")
def test_command(
    *,
    pool: str | None,
    profile: str | None,
    image: str | None,
    cpus: int | None,
    memory: int | None,
    volume_size: int | None,
    user_data_path: Path | None,
    timeout: float,
    keep: bool,
    manifest_path: Path | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Make one VM, follow it to its address, delete it, and see it gone.

    It bears a test name that is no node's, so Slurm doesn't know of it. It is deleted also after Ctrl-C or a failure;
    should this program be killed, 'xio vm list' shows what is left as ours. Without a pool of the manifest, --profile,
    --image, --cpus and --memory say what to make.

    \b
    Exit codes: 0 it came up and is gone, 1 it didn't or isn't, 2 wrong usage,
    130 interrupted.
    \b
    Examples:
      xio vm test --pool amd-8-gb-1-cores
      xio vm test --pool amd-8-gb-1-cores --image rhel8-new --keep
      xio vm test --profile amd --image rhel8 --cpus 2 --memory 7200
      xio vm test -c etc/xio.yaml --pool amd-8-gb-1-cores
    """
    manifest = manifest_of(manifest_path, config_path)
    wanted = _Wanted(pool, profile, image, cpus, memory, volume_size)
    new = _new_vm(manifest, wanted, _script(user_data_path))
    again = options_again(manifest_path, config_path)
    delete_later = f"delete it with: xio vm delete {new.node}{again}"
    ticking = Ticking(sys.stderr if as_json else sys.stdout)
    with (
        interruptible(
            "interrupted: the VM is deleted first (Ctrl-C again leaves it)",
            lambda: "\n".join(with_command(f"{new.node} may be left, and costs: {delete_later}")),
        ) as interruption,
        vms_to_change(manifest) as access,
    ):
        with waiting("asking the EMS for its VMs ..."):
            earlier = tests_left(access, Deadline.after(_LIST_TIMEOUT))
        for name in earlier:
            _complain(f"an earlier test VM is still there; unless a test is running: xio vm delete {name}{again}")
        tell = _teller(ticking, to_stderr=as_json)
        trial = VmTrial(access, new, timeout=timeout, tell=tell, stop=interruption.happened, delete_later=delete_later)
        with ticking:
            result = trial.run(keep=keep)
    _conclude(result, earlier, delete_later, as_json=as_json)


def _new_vm(manifest: Manifest, wanted: _Wanted, script: str) -> NewVm:
    pool = next((each for each in manifest.pools if each.name == wanted.pool), None)
    profile = wanted.profile or (pool.profile if pool else None)
    image = wanted.image or (pool.image if pool else None)
    cpus = wanted.cpus or (pool.cpus if pool else None)
    memory = wanted.memory or (pool.max_memory if pool else None)
    if profile is None or image is None or cpus is None or memory is None:
        names = ", ".join(each.name for each in manifest.pools) or "none"
        what = f"the manifest has no pool {wanted.pool!r}" if wanted.pool else "say what to make"
        raise click.UsageError(f"{what}: give --pool ({names}), or --profile, --image, --cpus and --memory")
    name = wanted.pool or "test"
    return NewVm(
        node=new_test_name(name),
        pool=name,
        profile=profile,
        image=image,
        cpus=cpus,
        max_memory=memory,
        min_memory=pool.min_memory if pool is not None and wanted.memory is None else None,
        volume_size=wanted.volume_size or (pool.volume_size if pool else 10),
        user_data=encode(script),
        enable_wo=manifest.product == "xwo",
    )


def _script(path: Path | None) -> str:
    if path is None:
        return _EMPTY_SCRIPT
    return read_small_text(path, "the user data", _MAX_USER_DATA, VmError)


def _teller(ticking: Ticking, *, to_stderr: bool) -> Callable[[float, str], None]:
    def tell(seconds: float, text: str) -> None:
        with ticking.erased():
            _say(f"{seconds:7.1f} s  {printable(text)}", to_stderr=to_stderr)

    return tell


def _complain(text: str) -> None:
    for line in with_command(f"xio: {text}"):
        _say(line, to_stderr=True)


def _say(line: str, *, to_stderr: bool) -> None:
    try:
        click.echo(line, err=to_stderr)
    except OSError:  # nobody reads any more: the VM must be deleted all the same
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 2 if to_stderr else 1)
        os.close(devnull)


def _conclude(result: TrialResult, earlier: tuple[str, ...], delete_later: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_document(result, earlier), indent=2))
    if result.ending == "kept":
        _complain(f"{result.new.node} is kept, and costs: {delete_later}")
    for line in result.problems:
        _complain(line)
    if result.interrupted:
        sys.exit(EXIT_CODE)
    if result.problems:
        sys.exit(1)


def _document(result: TrialResult, earlier: tuple[str, ...]) -> dict[str, Any]:
    new, vm = result.new, result.vm
    return {
        "ok": not (result.problems or result.interrupted),
        "node": new.node,
        "pool": new.pool,
        "profile": new.profile,
        "image": new.image,
        "cpus": new.cpus,
        "memory": new.max_memory,
        "volume_size": new.volume_size,
        "job": result.job,
        "controller": vm.controller if vm is not None else None,
        "controller_address": vm.controller_address if vm is not None else None,
        "address": vm.address if vm is not None else None,
        "seconds": result.seconds,
        "ending": result.ending,
        "interrupted": result.interrupted,
        "problems": list(result.problems),
        "earlier": list(earlier),
    }
