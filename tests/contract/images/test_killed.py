"""A replacement that is killed at any request, and given again, ends as an unbroken one."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.images.conftest import NAME, NEW, OF_ANOTHER, OLD, Site
from tests.contract.images.processes import make_image, started
from xio_slurm.errors import ImageError

Begin = Callable[..., Site]


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
        try:
            site.make()
        except ImageError as error:
            # The killed run's job ended meanwhile, and whose image that is can't be known. The next run makes it anew.
            if "(error 201)" not in str(error):
                raise
            site.make()
        assert site.images() == {NAME: NEW}


def _kill_at(site: Site, number: int, *, method: str | None = None, of_all: bool = True) -> bool:
    """Kill a run after a request was carried out and before it is answered; False if there is no such request."""
    skip = number if of_all else ("POST", "PUT", "DELETE", "POST", "DELETE")[:number].count(method or "")
    match = {"method": method} if method is not None else {}
    site.ems.add_fault(effect="latency", when="after", seconds=60, match=match, skip=skip, times=1)
    process = started(make_image, str(site.path), NAME, NEW)
    site.ems.wait_until(lambda: _hits(site) or process.exitcode is not None)
    process.kill()
    process.join()
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
