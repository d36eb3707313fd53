"""What an image's document tells of how far it is."""

from typing import Any

import pytest

from xio_slurm.config.model import Image
from xio_slurm.images.stage import Stage, is_finished, stage_of, told_stage
from xio_slurm.plan.change import Verb
from xio_slurm.plan.image_change import image_change


@pytest.mark.parametrize(
    ("document", "stage"),
    [
        ({}, "finished"),
        ({"Status": "Ready"}, "finished"),
        ({"Status": "parsed"}, "finished"),
        ({"Status": ""}, "finished"),
        ({"Status": "no errors"}, "finished"),
        ({"Status": 3}, "finished"),
        ({"Statuses": "Parsing"}, "finished"),
        ({"Description": "Parsing failed"}, "finished"),
        ({"Status": "Parsing"}, "under way"),
        ({"State": "PENDING"}, "under way"),
        ({"status": "In Progress"}, "under way"),
        ({"ParseState": "in_progress"}, "under way"),
        ({"ImageStatus": "InProgress"}, "under way"),
        ({"Status": "copying 3/7"}, "under way"),
        ({"Status": "queued"}, "under way"),
        ({"Status": "Failed"}, "failed"),
        ({"Status": "Parsing failed"}, "failed"),
        ({"job_status": "ERROR=7"}, "failed"),
        ({"State": "Ready", "Status": "Parsing"}, "under way"),
        ({"State": "Parsing", "Status": "aborted"}, "failed"),
    ],
)
def test_the_stage_is_what_the_document_tells(document: dict[str, Any], stage: Stage) -> None:
    assert stage_of(document) == stage
    assert is_finished(document) == (stage == "finished")


def test_the_ems_own_word_is_told_in_one_short_line() -> None:
    assert told_stage({"State": "Ready", "Status": "Pars\ning " + "x" * 99}).startswith("Pars ing xx")
    assert len(told_stage({"Status": "Parsing " + "x" * 99})) == 40
    assert told_stage({"Status": "Ready"}) == ""


@pytest.mark.parametrize(
    ("status", "verb", "notes"),
    [
        ("Ready", Verb.UNCHANGED, ()),
        ("Parsing", Verb.UPDATE, ("the EMS says 'Parsing' of it: it is waited for",)),
        ("Failed", Verb.REPLACE, ("the EMS says 'Failed' of it: it is made anew",)),
    ],
)
def test_a_plan_leaves_only_what_is_finished(status: str, verb: Verb, notes: tuple[str, ...]) -> None:
    existing = {"ImageName": "rhel8", "ImageId": "ami-1", "Status": status}
    change = image_change(Image("rhel8", "ami-1", None), existing, (), adopt=False)
    assert (change.verb, change.notes, change.refusals) == (verb, notes, ())
