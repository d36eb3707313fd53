"""A replacement that is killed at any request, and given again, ends as an unbroken one."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.contract.images.conftest import NAME, NEW, OF_ANOTHER, OLD, Site

Begin = Callable[..., Site]

_MAKER: Final = """
import sys
from xio_slurm.deadline import Deadline
from xio_slurm.images.making import ImageMaker
from xio_slurm.ems.connection import connected
from xio_slurm.ems.parse_jobs import NewImage
from xio_slurm.manifest import Manifest
with connected(Manifest.read(sys.argv[1])) as transport:
    maker = ImageMaker(transport, say=lambda _: None, poll_seconds=0.01)
    maker.make(NewImage(sys.argv[2], sys.argv[3]), replace=True, deadline=Deadline.after(30))
"""
"""The maker in a process of its own, without the command's pauses of a second."""


@pytest.mark.parametrize("rename", ["allow", "refuse"])
def test_killed_at_every_request_and_given_again(begin: Begin, rename: str) -> None:
    site = begin({NAME: OLD}, image_rename=rename)
    site.make()
    unbroken, count = _state(site), len(site.ems.requests())
    for request in range(count):
        site.ems.reset()
        site.ems.change(image_rename=rename, parse_seconds=0.03)
        if not _kill_at(site, request):
            break  # it had fewer looks at the job than the unbroken run
        site.make()
        assert _state(site) == unbroken, f"killed at request {request}"
    assert request >= 12


def test_killed_where_the_ems_tells_no_ami_and_given_again(begin: Begin) -> None:
    site = begin({NAME: OLD}, image_rename="refuse", image_fields=[])
    for write in range(5):
        site.ems.reset()
        site.ems.change(image_rename="refuse", image_fields=[], parse_seconds=0.03)
        assert _kill_at(site, write, method=("POST", "PUT", "DELETE", "POST", "DELETE")[write], of_all=False)
        site.ems.change(image_fields=[])
        site.make()
        assert site.images() == {NAME: NEW}


def _kill_at(site: Site, number: int, *, method: str | None = None, of_all: bool = True) -> bool:
    """Kill a run after a request was carried out and before it is answered; False if there is no such request."""
    skip = number if of_all else ("POST", "PUT", "DELETE", "POST", "DELETE")[:number].count(method or "")
    match = {"method": method} if method is not None else {}
    site.ems.add_fault(effect="latency", when="after", seconds=60, match=match, skip=skip, times=1)
    with subprocess.Popen([sys.executable, "-c", _MAKER, str(site.path), NAME, NEW], stderr=subprocess.PIPE) as process:
        site.ems.wait_until(lambda: _hits(site) or process.poll() is not None)
        process.kill()
    killed = _hits(site) == 1
    site.ems.remove_faults()
    return killed


def _hits(site: Site) -> int:
    return sum(fault.hits for fault in site.ems.faults())


def _state(site: Site) -> list[dict[str, Any]]:
    """The images without their Ids, which each making gives anew."""
    images = [{key: value for key, value in image.items() if key != "Id"} for image in site.documents()]
    assert OF_ANOTHER in images
    return sorted(images, key=lambda image: image["ImageName"])
