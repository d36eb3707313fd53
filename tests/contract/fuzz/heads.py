"""A head node with a manifest, from which images and VMs are seen to; its ledger, and its EMS."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from tests.contract.fuzz.calling import Called, call
from tests.contract.fuzz.ems import Ems, running
from tests.manifests import manifest_with
from xio_slurm.emulator.scenario import Scenario
from xio_slurm.ledger import Entry, Ledger, Phase, Run
from xio_slurm.manifest import Manifest, Pool

POOL: Final = "a"
IMAGE: Final = "rhel8"
PROFILE: Final = "amd"


@dataclass
class Head:
    """``mangled`` says by which way the EMS is had in this run; ``patience`` is for its answers on a good
    day, in seconds."""

    folder: Path
    ems: Ems
    mangled: bool = False
    patience: float = 5.0

    @property
    def temporary(self) -> Path:
        """For temporary files."""
        return self.folder / "tmp"

    @property
    def state(self) -> Path:
        """The ledger's folder."""
        return self.folder / "state"

    @property
    def log(self) -> Path:
        """The events' folder."""
        return self.folder / "log"

    @property
    def ledger(self) -> Ledger:
        """The ledger."""
        return Ledger(str(self.state))

    def begin(self, random: Random) -> None:
        """A new run: nothing is left of the last."""
        self.mangled = random.random() < 0.6
        for folder in (self.state, self.log, self.temporary):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        self.ems.reset()

    def vary(self, random: Random) -> None:
        """Choose among what nobody knows of an EMS."""
        self.ems.emulator.change(
            booting_get=random.choice(("200", "102")),
            deleting_get=random.choice(("200", "102")),
            missing_delete=random.choice(("404", "200")),
            image_rename=random.choice(("allow", "allow", "refuse")),
            image_delete=random.choice(("allow", "allow", "refuse-in-use")),
            image_fields=random.choice((["ami"], ["ami"], [])),
        )

    def spoil(self, random: Random, about: tuple[str, ...]) -> None:
        """The EMS has a bad day from now on, with these requests above all."""
        self.ems.spoil(random, about, mangled=self.mangled)

    def call(self, *arguments: str, terminal: bool = False) -> Called:
        """``xio image …`` or ``xio vm …``."""
        where = ("--manifest", str(self.manifest()))
        return call((*arguments, *where), self.temporary, terminal=terminal, hurried=self.ems.is_spoilt)

    def record(self, node: str, phase: Phase, *, unanswered: bool = False) -> None:
        """Have the ledger say something of a node, as a program would have left it."""
        run = Run("xio-resume-1-2", 1000.0)
        entry = Entry(node, POOL, phase, run, asked=1000.0, attempts=1, unanswered=unanswered)
        (self.state / "nodes").mkdir(exist_ok=True)
        (self.state / "nodes" / f"{node}.json").write_bytes(msgspec.json.encode(entry))

    def images(self) -> dict[str, str]:
        """Name → AMI of the EMS's images, whatever it tells others."""
        self.ems.emulator.change(image_fields=["ami"])
        return {each["ImageName"]: each.get("ImageId", "untold") for each in self.ems.documents("images")}

    def manifest(self) -> Path:
        """The manifest for the way by which the EMS is had."""
        url = self.ems.url(mangled=self.mangled)
        path = self.folder / f"manifest-{url.rpartition(':')[2]}.json"
        if not path.exists():
            path.write_text(_manifest_for(url, self).to_json())
        return path


def maybe(random: Random, *options: str) -> tuple[str, ...]:
    """Some of the options."""
    return tuple(option for option in options if random.random() < 0.4)


def _manifest_for(url: str, head: Head) -> Manifest:
    return manifest_with(
        ems_url=url,
        connect_timeout=head.patience,
        read_timeout=head.patience,
        max_concurrent_requests=4,
        state_dir=str(head.state),
        log_dir=str(head.log),
        slurm_bin_dir=str(head.folder / "no-slurm"),
        pools=(Pool(POOL, PROFILE, IMAGE, 100, 3, 7200, 100, 12),),
    )


@contextmanager
def head(folder: Path, images: dict[str, str]) -> Iterator[Head]:
    """A head node whose EMS has these images, name → AMI, another cluster's, and pools that use them."""
    scenario = Scenario.model_validate(
        {
            "images": [{"ImageName": name, "ImageId": ami, "Kept": {"as": ["it"]}} for name, ami in images.items()],
            "environments": [_environment("lab", IMAGE), _environment("their-cluster", "theirs")],
        }
    )
    with running(scenario) as ems:
        yield Head(folder, ems)


def _environment(name: str, image: str) -> dict[str, object]:
    vm = {"CPUs": 1, "ImageName": image, "MaxMemory": 7200}
    return {"EnvName": name, "Pools": [{"PoolName": POOL, "PoolSize": 1, "ProfileName": "az1", "VM": vm}]}
