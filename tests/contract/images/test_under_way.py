"""An EMS that lists an image before its parse has ended: such an image isn't one yet, and a failed one never is."""

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from tests.contract.images.conftest import NAME, NEW, OLD, Site, image_document
from xio_slurm.errors import ImageError

Begin = Callable[..., Site]

NEXT = f"{NAME}-xio-next"
LISTED = {"image_while_parsing": "listed"}


@pytest.mark.parametrize("rename", ["allow", "refuse"])
def test_a_replacement_ends_as_where_it_is_not_listed(begin: Begin, rename: str) -> None:
    site = begin({NAME: OLD}, image_rename=rename, parse_seconds=0.2, **LISTED)
    assert site.make().outcome == "replaced"
    assert site.images() == {NAME: NEW}
    assert _stages(site) == {NAME: "Ready"}


def test_an_image_that_another_run_has_begun_is_waited_for(begin: Begin) -> None:
    site = begin(parse_seconds=1, **LISTED)
    site.begin_parse(NAME, NEW)
    assert site.make(replace=False).outcome == "created"
    assert _stages(site) == {NAME: "Ready"}
    assert len(site.writes()) == 1
    assert any("whose parse was begun before: the EMS says 'Parsing'" in progress.step for progress in site.told)


def test_the_old_image_stays_while_the_next_one_is_under_way(begin: Begin) -> None:
    site = begin({NAME: OLD}, parse_seconds=1, **LISTED)
    site.begin_parse(NEXT, NEW)
    assert _stages(site) == {NAME: None, NEXT: "Parsing"}
    assert site.make().outcome == "replaced"
    assert site.writes().count("POST /v1/xcompute/parse") == 1
    assert site.writes()[1] == "PUT /v1/image"
    assert site.images() == {NAME: NEW}


@pytest.mark.parametrize("ours", [True, False])
def test_an_image_that_stays_under_way_is_told_and_nothing_is_lost(begin: Begin, ours: bool) -> None:
    site = begin(documents=[image_document(NAME, NEW if ours else OLD, Status="Pending")])
    with pytest.raises(ImageError, match=rf"the EMS says 'Pending' of it, .*'xio image delete {NAME}' clears it"):
        site.make(seconds=0.5)
    assert site.writes() == []


def test_a_next_image_of_our_ami_that_stays_under_way_keeps_the_old_one(begin: Begin) -> None:
    site = begin({NAME: OLD}, documents=[image_document(NEXT, NEW, State="PARSING")])
    with pytest.raises(ImageError, match=rf"'xio image delete {NEXT}' clears it"):
        site.make(seconds=0.5)
    assert site.writes() == []


def test_a_failed_image_is_refused_and_with_replace_made_anew(begin: Begin) -> None:
    site = begin(documents=[image_document(NAME, NEW, Status="Failed")])
    with pytest.raises(ImageError, match=rf"image {NAME} is there, and its parse has failed: --replace makes it anew"):
        site.make(replace=False)
    assert site.writes() == []
    assert site.make().outcome == "replaced"
    assert (site.images(), _stages(site)) == ({NAME: NEW}, {NAME: None})


def test_a_failed_next_image_never_takes_the_place(begin: Begin) -> None:
    site = begin({NAME: OLD}, documents=[image_document(NEXT, NEW, Status="parse failed")])
    assert site.make().outcome == "replaced"
    assert site.writes()[:2] == [f"DELETE /v1/image/{NEXT}", "POST /v1/xcompute/parse"]
    assert (site.images(), _stages(site)) == ({NAME: NEW}, {NAME: None})


@pytest.mark.parametrize("code", [7, 202])
def test_a_job_that_fails_is_a_failure_though_its_image_is_listed(begin: Begin, code: int) -> None:
    site = begin(**LISTED)
    site.ems.add_fault(effect="parse-fails", code=code)
    with pytest.raises(ImageError, match=rf"parse job .*; the EMS lists it all the same: 'xio image delete {NAME}'"):
        site.make()


def test_what_a_failed_job_leaves_of_a_replacement_goes(begin: Begin) -> None:
    site = begin({NAME: OLD}, **LISTED)
    site.ems.add_fault(effect="parse-fails", code=7)
    with pytest.raises(ImageError, match="parse job"):
        site.make()
    assert site.images() == {NAME: OLD}


@pytest.mark.parametrize("text", ["no room", "no room=7"])
def test_a_finished_image_of_the_name_makes_no_success_of_a_failed_job(begin: Begin, text: str) -> None:
    # Two jobs of one name, and the image that came meanwhile is not the one of this job.
    site = begin(parse_seconds=0)
    site.ems.add_fault(effect="status", status=400, match={"path": "/v1/xcompute/parse/*"}, error=text)
    with pytest.raises(ImageError, match="no room"):
        site.make()


def test_two_runs_that_begin_at_once_make_one_image(begin: Begin) -> None:
    site = begin(parse_seconds=0.3, **LISTED)
    site.ems.add_fault(effect="latency", seconds=0.1, match={"method": "POST"})
    outcomes: list[Any] = []
    threads = [Thread(target=lambda: outcomes.append(site.make().outcome)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["created", "created"]
    assert (site.images(), _stages(site)) == ({NAME: NEW}, {NAME: "Ready"})


def _stages(site: Site) -> dict[str, str | None]:
    return {each["ImageName"]: each.get("Status") for each in site.documents() if each["ImageName"] != "theirs"}
