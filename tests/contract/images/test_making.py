"""Images are made and replaced on an EMS that behaves in every way we could not rule out."""

from collections.abc import Callable

import pytest

from tests.contract.images.conftest import NAME, NEW, OF_ANOTHER, OLD, Site
from xio_slurm.errors import EmsUnreachable, ImageError

Begin = Callable[..., Site]

POST = {"method": "POST", "path": "/v1/xcompute/parse"}
PUT = {"method": "PUT", "path": "/v1/image"}


def test_an_image_is_made_and_its_job_followed(begin: Begin) -> None:
    site = begin(parse_seconds=0.2)
    made = site.make(replace=False)
    assert (made.outcome, made.notes) == ("created", ())
    assert site.images() == {NAME: NEW}
    assert site.writes() == ["POST /v1/xcompute/parse"]
    polls = [each.status for each in site.ems.requests("GET", "/v1/xcompute/parse/")]
    assert polls[-1] == 200
    assert set(polls[:-1]) == {102}
    assert any("is running" in progress.step for progress in site.told)


def test_an_image_with_its_ami_is_left_without_a_write(begin: Begin) -> None:
    site = begin({NAME: NEW})
    assert site.make().outcome == "unchanged"
    assert site.writes() == []


def test_another_ami_is_refused_unless_it_may_be_replaced(begin: Begin) -> None:
    site = begin({NAME: OLD})
    with pytest.raises(ImageError, match=rf"image {NAME} is of {OLD}: --replace makes it anew from {NEW}"):
        site.make(replace=False)
    assert (site.writes(), site.images()) == ([], {NAME: OLD})


def test_the_old_image_stays_until_the_new_ami_has_parsed(begin: Begin) -> None:
    site = begin({NAME: OLD})
    made = site.make()
    assert (made.outcome, made.notes) == ("replaced", ())
    assert site.images() == {NAME: NEW}
    assert site.writes() == [
        "POST /v1/xcompute/parse",
        "PUT /v1/image",
        "PUT /v1/image",
        f"DELETE /v1/image/{NAME}-xio-previous",
    ]
    assert OF_ANOTHER in [{key: image[key] for key in image if key != "Id"} for image in site.documents()]


@pytest.mark.parametrize("code", [202, 203, 999])
def test_a_new_ami_that_does_not_parse_leaves_the_old_image(begin: Begin, code: int) -> None:
    site = begin({NAME: OLD})
    site.ems.add_fault(effect="parse-fails", code=code)
    with pytest.raises(ImageError) as error:
        site.make()
    words = {202: "share the AMI with the EMS's AWS account", 203: "product codes", 999: "/xcompute/slurm/bin/"}
    assert words[code] in str(error.value)
    assert site.images() == {NAME: OLD}


@pytest.mark.parametrize("told", [["ami"], []])
def test_an_ems_that_does_not_rename_parses_twice_and_that_is_told(begin: Begin, told: list[str]) -> None:
    site = begin({NAME: OLD}, image_rename="refuse", image_fields=told)
    made = site.make()
    assert made.outcome == "replaced"
    assert "can't be renamed" in made.notes[0]
    assert "no VM could start from it for 0 s" in made.notes[1]
    assert site.images() == {NAME: NEW}
    assert site.writes() == [
        "POST /v1/xcompute/parse",
        "PUT /v1/image",
        f"DELETE /v1/image/{NAME}",
        "POST /v1/xcompute/parse",
        f"DELETE /v1/image/{NAME}-xio-next",
    ]


def test_a_second_parse_that_fails_tells_what_there_is(begin: Begin) -> None:
    site = begin({NAME: OLD}, image_rename="refuse")
    site.ems.add_fault(effect="parse-fails", code=202, skip=1)
    with pytest.raises(ImageError) as error:
        site.make()
    assert f"now there is no {NAME}, and no VM can start from it until" in str(error.value)
    assert f"{NAME}-xio-next is of {NEW}" in str(error.value)
    assert site.images() == {f"{NAME}-xio-next": NEW}
    assert site.make().outcome == "created"
    assert site.images() == {NAME: NEW}


def test_an_image_that_can_neither_be_renamed_nor_deleted_stays(begin: Begin) -> None:
    site = begin({NAME: OLD}, image_rename="refuse", image_delete="refuse-in-use")
    with pytest.raises(ImageError, match=r"neither renames nor deletes it .*used by pool amd of lab"):
        site.make()
    assert site.images() == {NAME: OLD, f"{NAME}-xio-next": NEW}


def test_a_previous_image_that_is_not_deleted_is_told(begin: Begin) -> None:
    site = begin({NAME: OLD})
    site.ems.add_fault(effect="status", status=409, match={"method": "DELETE"})
    made = site.make()
    assert "rhel8-xio-previous is left on the EMS, which doesn't delete it" in made.notes[0]
    assert site.images() == {NAME: NEW, f"{NAME}-xio-previous": OLD}
    assert site.make().outcome == "unchanged"
    assert site.images() == {NAME: NEW}


@pytest.mark.parametrize("status", [200, 500])
def test_a_rename_that_is_said_but_not_done_is_seen(begin: Begin, status: int) -> None:
    site = begin({NAME: OLD})
    site.ems.add_fault(effect="status", status=status, match=PUT, text='{"Id": "x"}')
    made = site.make()
    assert made.outcome == "replaced"
    assert "couldn't be renamed" in made.notes[0]
    assert site.images() == {NAME: NEW}


def test_keys_that_nobody_knows_survive_a_rename(begin: Begin) -> None:
    # Killed between the two moves, and wanted with another AMI: the old image comes back first, as it was.
    site = begin({f"{NAME}-xio-previous": OLD})
    site.ems.add_fault(effect="parse-fails", code=202)
    with pytest.raises(ImageError, match="202"):
        site.make()
    (kept,) = [image for image in site.documents() if image["ImageName"] == NAME]
    assert (kept["ImageId"], kept["Kept"]) == (OLD, {"as": ["it", "is"]})


@pytest.mark.parametrize("lost", ["lost-answer", "lost-request"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("skip", [0, 1])
def test_a_lost_write_is_looked_at_and_made_good(begin: Begin, lost: str, method: str, skip: int) -> None:
    site = begin({NAME: OLD, f"{NAME}-xio-previous": OLD})
    site.ems.add_fault(effect=lost, match={"method": method}, skip=skip, times=1)
    made = site.make()
    assert (made.outcome, made.notes) == ("replaced", ())
    assert site.images() == {NAME: NEW}


@pytest.mark.parametrize("status", [102, 408, 429])
def test_a_rename_that_is_put_off_deletes_nothing(begin: Begin, status: int) -> None:
    site = begin({NAME: OLD})
    site.ems.add_fault(effect="status", status=status, match=PUT)
    with pytest.raises(ImageError, match=f"EMS {status}: .*; now {NAME} is of {OLD}; {NAME}-xio-next is of {NEW}"):
        site.make()
    assert site.images() == {NAME: OLD, f"{NAME}-xio-next": NEW}


def test_a_look_that_fails_is_no_refusal_of_a_rename(begin: Begin) -> None:
    site = begin({NAME: OLD})
    site.ems.add_fault(effect="status", status=403, match={"method": "GET", "path": "/v1/image/rhel8"}, skip=2, times=3)
    with pytest.raises(ImageError, match="EMS 403"):
        site.make()
    assert site.images() == {NAME: OLD, f"{NAME}-xio-next": NEW}


def test_single_odd_answers_to_looks_do_not_matter(begin: Begin) -> None:
    site = begin({NAME: OLD})
    site.ems.add_fault(effect="status", status=503, match={"method": "GET", "path": "/v1/image/rhel8"}, skip=1, times=2)
    site.ems.add_fault(effect="status", status=502, match={"path": "/v1/xcompute/parse/*"}, times=3)
    assert site.make().outcome == "replaced"


def test_a_parse_whose_answer_was_lost_is_never_asked_for_twice(begin: Begin) -> None:
    site = begin()
    site.ems.add_fault(effect="lost-answer", match=POST)
    assert site.make().outcome == "created"
    assert site.writes() == ["POST /v1/xcompute/parse"]


def test_a_parse_whose_request_was_lost_is_told_in_time(begin: Begin) -> None:
    site = begin()
    site.ems.add_fault(effect="lost-request", match=POST)
    with pytest.raises(
        ImageError, match=r"the answer to its request was lost .* no finished image of that name has come"
    ):
        site.make(seconds=0.5)
    assert site.writes() == ["POST /v1/xcompute/parse"]


def test_lost_answers_while_a_job_runs_do_not_matter(begin: Begin) -> None:
    site = begin(parse_seconds=0.3)
    site.ems.add_fault(effect="lost-answer", match={"path": "/v1/xcompute/parse/*"}, times=8)
    assert site.make().outcome == "created"


def test_a_job_that_never_ends_is_given_up_at_the_deadline(begin: Begin) -> None:
    site = begin()
    site.ems.add_fault(effect="parse-never-ends")
    with pytest.raises(
        ImageError, match=r"parse job [0-9a-f-]{36} hasn't ended in time: look .*'xio image show rhel8'"
    ):
        site.make(seconds=0.5)


def test_a_job_that_the_ems_forgot_is_no_matter_if_the_image_is_there(begin: Begin) -> None:
    site = begin()
    site.ems.add_fault(effect="status", status=404, match={"path": "/v1/xcompute/parse/*"})
    assert site.make().outcome == "created"


def test_a_job_that_the_ems_forgot_without_an_image_is_told(begin: Begin) -> None:
    site = begin(parse_seconds=60)
    site.ems.add_fault(effect="status", status=404, match={"path": "/v1/xcompute/parse/*"})
    with pytest.raises(ImageError, match=r"knows no parse job .* and there is no finished image of that name"):
        site.make()


def test_a_job_that_failed_since_another_made_the_image_is_no_failure(begin: Begin) -> None:
    # A run was killed after its POST and given again: two jobs, and the second finds the first one's image.
    site = begin(parse_seconds=1)
    site.begin_parse(NAME, NEW)
    assert site.make().outcome == "created"
    assert len(site.writes()) == 2
    assert site.images() == {NAME: NEW}


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("there", "words"),
    [
        ({}, rf"image {NAME}: .*exists \(error 201\), and lists none: take another name, or read the logs"),
        (
            {NAME: OLD},
            rf"image {NAME}-xio-next: .*lists none, so {NAME} can't be replaced: .* make the image under another",
        ),
    ],
)
def test_a_name_that_exists_and_is_not_listed_has_its_own_words(
    begin: Begin, there: dict[str, str], words: str, at_once: bool
) -> None:
    site = begin(there)
    if at_once:
        site.ems.add_fault(effect="status", status=400, match=POST, error="parse failed, code=201")
    else:
        site.ems.add_fault(effect="parse-fails", code=201)
    with pytest.raises(ImageError, match=words):
        site.make()
    assert site.images() == there


def test_a_name_that_came_meanwhile_with_another_ami_is_told(begin: Begin) -> None:
    site = begin(parse_seconds=1)
    site.begin_parse(NAME, OLD)
    with pytest.raises(ImageError, match=r"exists on the EMS \(error 201\): take another name"):
        site.make()
    assert site.images() == {NAME: OLD}


def test_a_previous_image_that_stays_makes_no_loop(begin: Begin) -> None:
    site = begin({NAME: OLD})
    site.ems.add_fault(
        effect="status", status=409, match={"method": "DELETE", "path": "*-xio-previous"}, error="VMs run"
    )
    assert site.make().outcome == "replaced"
    writes = len(site.writes())
    again = site.make()
    assert (again.outcome, again.notes) == (
        "unchanged",
        (
            f"{NAME}-xio-previous is left on the EMS, which doesn't delete it: delete image {NAME}-xio-previous: EMS "
            f"409: VMs run; when nothing uses it any more, this does: xio image delete {NAME}-xio-previous",
        ),
    )
    assert len(site.writes()) == writes + 1
    # A third AMI: the name for the old image is taken, so the second way is gone.
    third = site.make("ami-033")
    assert f"{NAME}-xio-previous is there already" in third.notes[1]
    assert site.images() == {NAME: "ami-033", f"{NAME}-xio-previous": OLD}


def test_an_ems_that_is_not_there_is_told_at_once(begin: Begin) -> None:
    site = begin()
    site.ems.__exit__(None, None, None)
    with pytest.raises(EmsUnreachable, match="can't be reached"):
        site.make()


def test_the_key_that_was_sent_comes_back_in_no_error(begin: Begin) -> None:
    site = begin()
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx7\n-----END RSA PRIVATE KEY-----\n"
    site.ems.add_fault(effect="status", status=400, match=POST, error=f"can't log in with {key} of ami: code=17")
    with pytest.raises(ImageError) as error:
        site.make(key=key, user="root")
    assert "MIIEow" not in str(error.value)
    assert "it repeats the key" in str(error.value)
    assert "MIIEow" not in "".join(progress.step for progress in site.told)


def test_names_of_our_own_are_not_taken(begin: Begin) -> None:
    site = begin()
    with pytest.raises(ImageError, match="at their end are ours"):
        site.make(name="rhel8-xio-next")
    assert site.ems.requests() == []
