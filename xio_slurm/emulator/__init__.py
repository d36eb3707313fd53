"""An EMS on this machine, with faults on demand: a public test tool.

In a Python test::

    from xio_slurm.emulator import Emulator

    with Emulator(boot_seconds=0.1) as ems:
        ems.add_fault(effect="status", status=503, times=2, match={"path": "/v1/xcompute/vm"})
        call_the_program_under_test(ems.url)
        assert [vm.node for vm in ems.vms()] == ["xspot-vm-a-1"]

From a shell or any other language: ``xio emulator``, and its control API under ``/emulator/``.
The names below are loaded when they are first used, since aiohttp takes half a second.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from xio_slurm.emulator.options import Options as Options
    from xio_slurm.emulator.records import Event as Event
    from xio_slurm.emulator.records import RequestRecord as RequestRecord
    from xio_slurm.emulator.records import Vm as Vm
    from xio_slurm.emulator.scenario import Scenario as Scenario
    from xio_slurm.emulator.settings import Settings as Settings
    from xio_slurm.emulator.tool import Emulator as Emulator

_HOMES: Final = {
    "Emulator": "tool",
    "Event": "records",
    "Options": "options",
    "RequestRecord": "records",
    "Scenario": "scenario",
    "Settings": "settings",
    "Vm": "records",
}

__all__ = ["Emulator", "Event", "Options", "RequestRecord", "Scenario", "Settings", "Vm"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
