"""An emulator and a mangler before it, and the days that they have."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from tests.contract.fuzz.bad_days import faults, may_lie
from tests.contract.fuzz.mangler import Mangler, Trouble
from xio_slurm.emulator.scenario import Scenario
from xio_slurm.emulator.tool import Emulator

PATHS = {"profiles": "Profiles", "envs": "Environments", "images": "Images"}
NAMES = {"profiles": "ProfileName", "envs": "EnvName", "images": "ImageName"}


class Ems:
    """An EMS that can be had directly or through a mangler, good or bad, and is the same again for each run.

    ``is_spoilt`` says whether it has a bad day.
    """

    def __init__(self, emulator: Emulator, mangler: Mangler) -> None:
        self.emulator = emulator
        self.mangler = mangler
        self.is_spoilt = False
        self._may_lie = False

    def reset(self) -> None:
        """As at the start."""
        self.emulator.reset()
        self.mangler.begin(None)
        self.is_spoilt = self._may_lie = False

    def spoil(self, random: Random, about: tuple[str, ...], *, mangled: bool) -> None:
        """Begin a bad day, with these requests above all: method and path, as globs."""
        self.is_spoilt = True
        self.emulator.forget_requests()
        if mangled:
            self.mangler.begin(Trouble.drawn(random, about))
            return
        self.emulator.change(seed=random.getrandbits(30))
        for fault in faults(random, about):
            self._may_lie |= may_lie(fault)
            self.emulator.add_fault(**fault)

    def mend(self) -> bool:
        """End it; whether it said of VMs what wasn't so, which nobody can see through."""
        lied = self._may_lie or self.mangler.lied
        assert not self.mangler.trapped, "a redirect was followed"
        self.emulator.remove_faults()
        self.mangler.begin(None)
        self.is_spoilt = False
        return lied

    def url(self, *, mangled: bool) -> str:
        """Where it is had."""
        return self.mangler.url if mangled else self.emulator.url

    def documents(self, kind: str) -> list[dict[str, Any]]:
        """Every profile, environment (envs) or image, as it is."""
        listed: list[dict[str, Any]] = json.loads(self.ask("GET", f"/v1/{kind}"))[PATHS[kind]]
        return listed

    def ask(self, method: str, path: str, document: Any = None) -> bytes:
        """Ask the EMS itself, on a good day; what it answers."""
        status, told = self.mangler.ask(method, path, b"" if document is None else json.dumps(document).encode())
        assert status == 200, told
        return told

    def writes(self) -> list[str]:
        """The requests since the day began that write."""
        return [f"{each.method} {each.path}" for each in self.emulator.requests() if each.method != "GET"]

    def make_vm(self, node: str, pool: str = "theirs", profile: str = "theirs") -> None:
        """A VM that somebody asks for."""
        vm = {"CPUs": 1, "ImageName": "theirs", "MaxMemory": 1000, "VolumeSize": 10, "UserData": ""}
        document = {"NodeName": node, "PoolName": pool, "ProfileName": profile, "VM": vm}
        self.ask("POST", "/v1/xcompute/vm", document)


@contextmanager
def running(scenario: Scenario, **settings: Any) -> Iterator[Ems]:
    """An EMS with these documents."""
    quick = {"boot_seconds": 0, "parse_seconds": 0, **settings}
    with Emulator(scenario=scenario, **quick) as emulator, Mangler(emulator.url) as mangler:
        yield Ems(emulator, mangler)
