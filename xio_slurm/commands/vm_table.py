"""The table of ``xio vm list``: the VMs pool by pool, in 80 columns."""

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from rich.table import Table
from rich.text import Text

from xio_slurm.commands.output import table_console
from xio_slurm.plain_text import printable
from xio_slurm.vms.survey import KnownVm

_COLOURS: Final = {"up": "green", "missing": "red", "listed": "yellow", "unknown": "yellow", "deleting": "yellow"}


def table(vms: Iterable[KnownVm], now: float) -> None:
    """Print the VMs, which are in the order of their pools."""
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for title in ("Node", "State", "Address", "Controller"):
        made.add_column(title, overflow="fold")
    made.add_column("Age", justify="right", no_wrap=True)
    for pool, group in groupby(vms, key=lambda vm: vm.pool):
        made.add_row(Text(f"pool {printable(pool) or 'unknown'}", style="italic"))
        for vm in group:
            made.add_row(
                f"  {printable(vm.node)}",
                Text(_state(vm), style=_COLOURS.get(vm.state, "")),
                printable(vm.address or ""),
                printable(vm.controller or vm.controller_address or ""),
                "" if vm.asked is None else age(now - vm.asked),
            )
    table_console().print(made)


def age(seconds: float) -> str:
    """A time in its largest unit: 12s, 5m, 3h, 2d."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f}{unit}"
    return f"{max(0.0, seconds):.0f}s"


def _state(vm: KnownVm) -> str:
    return f"{vm.state} {vm.count} VMs" if vm.count > 1 else vm.state
