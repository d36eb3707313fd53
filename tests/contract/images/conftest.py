"""An EMS, a manifest that names it, and the ways to have images made: the command, and its maker without pauses."""

import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from tests.contract.images.processes import run_xio
from tests.manifests import manifest_with
from xio_slurm.deadline import Deadline
from xio_slurm.ems.connection import connected
from xio_slurm.ems.parse_jobs import NewImage
from xio_slurm.emulator.scenario import Scenario
from xio_slurm.emulator.tool import Emulator
from xio_slurm.images.making import ImageMaker, ImageProgress, Made
from xio_slurm.manifest import Manifest, Pool

XIO: Final = Path(__file__).resolve().parents[3] / "bin" / "xio"
NAME: Final = "rhel8"
OLD: Final = "ami-01d"
NEW: Final = "ami-0e3"

OF_ANOTHER: Final[dict[str, Any]] = {"ImageName": "theirs", "ImageId": "ami-0aa", "Owner": {"Team": "b"}}
ENVIRONMENT: Final[dict[str, Any]] = {
    "EnvName": "lab",
    "Pools": [
        {
            "PoolName": "amd",
            "PoolSize": 1,
            "ProfileName": "az1",
            "VM": {"CPUs": 1, "ImageName": NAME, "MaxMemory": 7200},
        }
    ],
}


def image_document(name: str, ami: str, **more: Any) -> dict[str, Any]:
    """An image as the EMS has it."""
    return {"ImageName": name, "ImageId": ami, **more}


@dataclass
class Site:
    """A head node and its EMS."""

    ems: Emulator
    manifest: Manifest
    path: Path
    told: list[ImageProgress] = field(default_factory=list)

    def make(
        self, ami: str = NEW, *, replace: bool = True, seconds: float = 20, poll_seconds: float = 0.01, **image: str
    ) -> Made:
        """Make the image in this process, with short pauses."""
        new = NewImage(**{"name": NAME, "ami": ami, **image})
        with connected(self.manifest) as transport:
            maker = ImageMaker(transport, say=self.told.append, poll_seconds=poll_seconds)
            return maker.make(new, replace=replace, deadline=Deadline.after(seconds))

    def xio(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """``xio image …`` with the manifest."""
        return run_xio("image", *arguments, "--manifest", str(self.path), stdin=stdin)

    def create(self, *arguments: str, ami: str = NEW) -> subprocess.CompletedProcess[str]:
        """``xio image create``, without AWS."""
        return self.xio("create", "--ami", ami, "--name", NAME, "--no-aws-checks", *arguments)

    def begin_parse(self, name: str, ami: str) -> None:
        """What a run does that is killed then, or another machine."""
        parse = {"ImageName": name, "ImageId": ami}
        requests.post(f"{self.ems.url}/v1/xcompute/parse", json=parse, timeout=10).raise_for_status()

    def images(self) -> dict[str, str | None]:
        """Name → AMI of our images on the EMS."""
        return {
            image["ImageName"]: image.get("ImageId") for image in self.documents() if image["ImageName"] != "theirs"
        }

    def documents(self) -> list[dict[str, Any]]:
        """The images as they stand on the EMS, whatever it tells and does."""
        self.ems.remove_faults()
        self.ems.change(image_fields=["ami"])
        images: list[dict[str, Any]] = requests.get(f"{self.ems.url}/v1/images", timeout=10).json()["Images"]
        return images

    def writes(self) -> list[str]:
        """The requests so far that change something."""
        return [f"{each.method} {each.path}" for each in self.ems.requests() if each.method != "GET"]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Begin with these images, name → AMI, beside another cluster's. Other keywords are the emulator's settings."""
    running: list[Emulator] = []

    def begin(
        images: dict[str, str] | None = None,
        *,
        documents: Iterable[dict[str, Any]] = (),
        environments: Iterable[dict[str, Any]] = (ENVIRONMENT,),
        **settings: Any,
    ) -> Site:
        simple = [image_document(name, ami, Kept={"as": ["it", "is"]}) for name, ami in (images or {}).items()]
        scenario = Scenario(images=(*simple, *documents, OF_ANOTHER), environments=tuple(environments))
        emulator = Emulator(scenario=scenario, **{"parse_seconds": 0.03, **settings})
        emulator.__enter__()
        running.append(emulator)
        path = tmp_path / "manifest.json"
        site = Site(emulator, _manifest(emulator.url), path)
        path.write_text(site.manifest.to_json())
        return site

    yield begin
    for emulator in running:
        emulator.__exit__(None, None, None)


def _manifest(url: str) -> Manifest:
    return manifest_with(
        ems_url=url,
        connect_timeout=0.5,
        max_concurrent_requests=4,
        pools=(Pool("amd", "az1", NAME, 1, 1, 7200, None, 10),),
    )
