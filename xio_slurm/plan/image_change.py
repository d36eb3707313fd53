"""What becomes of one image of ``Images``. Pure."""

import shlex

from xio_slurm.config.model import Image
from xio_slurm.ems.documents import IMAGES, Document
from xio_slurm.plan.change import Change, FieldChange, Verb
from xio_slurm.plan.plain_text import printable


def image_change(image: Image, existing: Document | None) -> Change:
    """Plan for one image. Images are made by the EMS from AMIs, so no document is sent."""
    if existing is None:
        return Change(IMAGES.word, image.name, Verb.CREATE, (FieldChange("ImageId", None, image.ami),))
    ami = existing.get("ImageId")
    if not isinstance(ami, str) or not ami:
        line = (
            f"the EMS doesn't tell its AMI, so nobody knows whether it is {image.ami}:"
            f" xio image create --ami {image.ami} --name {shlex.quote(image.name)} --replace"
        )
        return Change(IMAGES.word, image.name, Verb.UNCHANGED, notes=(line,))
    if ami == image.ami:
        return Change(IMAGES.word, image.name, Verb.UNCHANGED)
    return Change(IMAGES.word, image.name, Verb.REPLACE, (FieldChange("ImageId", printable(ami), image.ami),))
