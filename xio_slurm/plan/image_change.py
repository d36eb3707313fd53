"""What becomes of one image of ``Images``. Pure."""

import shlex
from collections.abc import Collection

from xio_slurm.config.model import Image
from xio_slurm.ems.documents import IMAGES, Document
from xio_slurm.images.stage import stage_of, told_stage
from xio_slurm.plain_text import listed, printable
from xio_slurm.plan.change import Change, FieldChange, Verb


def image_change(image: Image, existing: Document | None, others: Collection[str], *, adopt: bool) -> Change:
    """Plan for one image. Images are made by the EMS from AMIs, so no document is sent.

    ``others``: the environments of other clusters whose pools start VMs from it. Theirs would be of our AMI, too, so
    that it is replaced only with ``adopt``.
    """
    if existing is None:
        return Change(IMAGES.word, image.name, Verb.CREATE, (FieldChange("ImageId", None, image.ami),))
    ami = existing.get("ImageId")
    if not isinstance(ami, str) or not ami:
        line = (
            f"the EMS doesn't tell its AMI, so nobody knows whether it is {image.ami}:"
            f" xio image create --ami {image.ami} --name {shlex.quote(image.name)} --replace"
        )
        return Change(IMAGES.word, image.name, Verb.UNCHANGED, notes=(line,), is_sure=False)
    if ami == image.ami:
        return _of_its_ami(image.name, existing)
    fields = (FieldChange("ImageId", printable(ami), image.ami),)
    if others and not adopt:
        line = (
            f"it is of another AMI, and the environment {listed(others)} uses it, or may: choose another ImageName,"
            " or replace it for all with --adopt"
        )
        return Change(IMAGES.word, image.name, Verb.REPLACE, fields, refusals=(line,))
    notes = (f"is replaced for other environments, too: {listed(others)}",) if others else ()
    return Change(IMAGES.word, image.name, Verb.REPLACE, fields, notes)


def _of_its_ami(name: str, existing: Document) -> Change:
    told = f"the EMS says {told_stage(existing)!r} of it"
    match stage_of(existing):
        case "under way":
            return Change(IMAGES.word, name, Verb.UPDATE, notes=(f"{told}: it is waited for",))
        case "failed":
            return Change(IMAGES.word, name, Verb.REPLACE, notes=(f"{told}: it is made anew",))
        case "finished":
            return Change(IMAGES.word, name, Verb.UNCHANGED)
