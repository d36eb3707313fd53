"""Two machines that replace one image at once: it ends, it is told, and the old one stays until there is a new one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
import requests

from tests.contract.images.conftest import NAME, NEW, OLD, Site, image_document
from xio_slurm.errors import ImageError, XioError
from xio_slurm.images.making import Made

Begin = Callable[..., Site]

NEXT = f"{NAME}-xio-next"
OTHER = "ami-0f7"


def test_a_next_image_that_is_being_parsed_from_another_ami_is_left(begin: Begin) -> None:
    site = begin({NAME: OLD}, documents=[image_document(NEXT, OTHER, Status="Parsing")])
    with pytest.raises(ImageError) as error:
        site.make()
    assert str(error.value) == (
        f"image {NAME}: {NEXT} is being parsed from {OTHER}: somebody else replaces it now, so wait until that has "
        f"ended; if nobody does, 'xio image delete {NEXT}' clears it"
    )
    assert site.writes() == []


def test_the_old_ami_again_leaves_what_is_being_parsed(begin: Begin) -> None:
    site = begin({NAME: NEW}, documents=[image_document(NEXT, OTHER, Status="Parsing")])
    made = site.make()
    assert made.outcome == "unchanged"
    assert f"{NEXT} is being parsed from {OTHER}, and left" in made.notes[0]
    assert site.writes() == []


@pytest.mark.parametrize("there", [OLD, NEW])
def test_a_next_image_that_is_about_to_be_renamed_is_not_deleted(begin: Begin, there: str) -> None:
    site = begin({NAME: there, NEXT: OTHER})

    def take_over() -> None:
        site.ems.wait_until(lambda: any("whether somebody else" in progress.step for progress in site.told))
        site.make(OTHER)

    with _beside(take_over), pytest.raises(ImageError, match=f"somebody else replaces it with {OTHER}"):
        site.make(poll_seconds=0.1)
    assert f"DELETE /v1/image/{NEXT}" not in site.writes()
    assert site.images() == {NAME: OTHER}


def test_a_next_image_that_nobody_is_at_goes(begin: Begin) -> None:
    site = begin({NAME: OLD, NEXT: OTHER})
    assert site.make().outcome == "replaced"
    assert site.images() == {NAME: NEW}


@pytest.mark.parametrize("rename", ["allow", "refuse"])
@pytest.mark.parametrize("listed", ["hidden", "listed"])
@pytest.mark.parametrize("ami", [NEW, OTHER])
def test_two_replacements_at_once_end_with_one_of_their_amis(begin: Begin, rename: str, listed: str, ami: str) -> None:
    site = begin({NAME: OLD}, image_rename=rename, image_while_parsing=listed, parse_seconds=0.2)
    ended: list[Made | XioError] = []

    def run(wanted: str) -> None:
        try:
            ended.append(site.make(wanted))
        except XioError as error:
            ended.append(error)

    threads = [Thread(target=run, args=(wanted,)) for wanted in (NEW, ami)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [each.ami for each in ended if isinstance(each, Made)]
    assert made, ended
    assert len(ended) == 2
    assert site.images()[NAME] in made
    assert site.make(made[0]).notes == ()
    assert site.images() == {NAME: made[0]}


def test_an_image_that_became_ours_meanwhile_is_not_deleted(begin: Begin) -> None:
    site = begin({NAME: OLD, NEXT: NEW}, image_rename="refuse")
    # The last look before the image would be deleted: of its three, the one at the previous image.
    match = {"method": "GET", "path": f"/v1/image/{NAME}-xio-previous"}
    site.ems.add_fault(effect="latency", seconds=0.5, match=match, skip=2, times=1)

    with _beside(lambda: _put_when_hit(site, ImageId=NEW)):
        assert site.make().notes == ()
    assert f"DELETE /v1/image/{NAME}" not in site.writes()
    assert site.images() == {NAME: NEW}


def test_an_image_that_is_renamed_meanwhile_is_looked_at_again(begin: Begin) -> None:
    site = begin({NAME: OLD, NEXT: NEW})
    # The last of the three looks before the first rename, which is answered as things were.
    match = {"method": "GET", "path": f"/v1/image/{NAME}-xio-previous"}
    site.ems.add_fault(effect="latency", when="after", seconds=0.5, match=match, times=1)

    with _beside(lambda: _put_when_hit(site, ImageName=f"{NAME}-xio-previous")):
        made = site.make()
    assert (made.outcome, made.notes) == ("replaced", ())
    assert "POST /v1/xcompute/parse" not in site.writes()
    assert site.images() == {NAME: NEW}


def test_a_next_image_that_another_run_has_renamed_is_no_failure_of_ours(begin: Begin) -> None:
    site = begin({NAME: OLD}, parse_seconds=0.2)
    site.ems.add_fault(effect="parse-fails", code=201)

    def replace_it() -> None:
        site.ems.wait_until(lambda: site.ems.requests("POST", "/v1/xcompute/parse"))
        _put(site, ImageId=NEW)

    with _beside(replace_it):
        assert site.make().outcome == "replaced"
    assert site.writes() == ["POST /v1/xcompute/parse", "PUT /v1/image"]


def _put_when_hit(site: Site, **changes: str) -> None:
    site.ems.wait_until(lambda: site.ems.faults()[0].hits)
    _put(site, **changes)


def _put(site: Site, **changes: str) -> None:
    """What another run does to the image."""
    images = requests.get(f"{site.ems.url}/v1/images", timeout=10).json()["Images"]
    (image,) = [each for each in images if each["ImageName"] == NAME]
    requests.put(f"{site.ems.url}/v1/image", json={**image, **changes}, timeout=10).raise_for_status()


@contextmanager
def _beside(do: Callable[[], object]) -> Iterator[None]:
    """Do something in a thread of its own beside the block."""
    thread = Thread(target=do)
    thread.start()
    yield
    thread.join()
