"""What a failed parse job means, and what to do about it."""

from typing import Final

from xio_slurm.ems.parse_jobs import HAS_PRODUCT_CODES, IMAGE_EXISTS, NOT_AUTHORIZED, NewImage
from xio_slurm.images.replacement import NEXT_SUFFIX

LOGS: Final = "/xcompute/slurm/bin/xcompute-daemon/data/xcompute/logs"
"""Where the EMS keeps its controllers' and workers' logs."""


def why_failed(image: NewImage, code: int | None, said: str) -> str:
    """A failed parse in words. ``said`` is the EMS's own text. Source of the codes: what the EMS's own script knows."""
    if code == IMAGE_EXISTS and image.name.endswith(NEXT_SUFFIX):
        return (
            "an image of that name exists on the EMS (error 201), and another run has made it meanwhile: wait until "
            f"nobody else replaces {image.name.removesuffix(NEXT_SUFFIX)}, then run the same command again"
        )
    if code == IMAGE_EXISTS:
        return (
            "an image of that name exists on the EMS (error 201): take another name, or look at it with "
            f"'xio image show {image.name}' and replace it with --replace"
        )
    if code == NOT_AUTHORIZED:
        return (
            f"the EMS isn't authorized to use {image.ami} (error 202): share the AMI with the EMS's AWS account, "
            "or subscribe to it there; it must be in the EMS's region"
        )
    if code == HAS_PRODUCT_CODES:
        return (
            f"{image.ami} has product codes (error 203), and an AMI of the AWS Marketplace can't be an image: make one "
            "from an AMI without them; a copy keeps them"
        )
    return f"the EMS says: {said}; read the logs under {LOGS} on the EMS"


def exists_unlisted(image: NewImage) -> str:
    """A 201 in words, where the EMS lists no image of the name."""
    if image.name.endswith(NEXT_SUFFIX):
        wanted = image.name.removesuffix(NEXT_SUFFIX)
        return (
            f"the EMS says that an image of that name exists (error 201), and lists none, so {wanted} can't be "
            "replaced: if nobody else replaces it now, make the image under another name, and give that to the pools, "
            f"or read the logs under {LOGS} on the EMS"
        )
    return (
        "the EMS says that an image of that name exists (error 201), and lists none: take another name, or read the "
        f"logs under {LOGS} on the EMS"
    )


def without_key(text: str, key: str) -> str:
    """A text from the EMS, cut off where it begins to repeat the key that was sent."""
    begins = [line.strip()[:8] for line in key.splitlines() if len(line.strip()) >= 8]
    places = [place for begin in begins if (place := text.find(begin)) >= 0]
    return f"{text[: min(places)]}(cut off: it repeats the key)" if places else text
