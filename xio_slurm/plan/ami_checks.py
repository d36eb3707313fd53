"""What AWS says of the AMIs of a plan's images, before the EMS is asked to make any of them."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from xio_slurm.config.model import Config
from xio_slurm.images.ami_check import AmiCheck, check_ami
from xio_slurm.manifest import Pool
from xio_slurm.plan.change import Change, Verb

_MOST: Final = 8


def with_ami_checks(
    images: Iterable[Change], config: Config, pools: tuple[Pool, ...]
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """The changes, with a refusal for each AMI that can't become an image; and warnings, one line each.

    AWS is asked only about images that are to be made. Where it can't be asked, that is a warning.
    """
    amis = {image.name: image.ami for image in config.images}
    images = tuple(images)
    names = [image.name for image in images if image.verb in {Verb.CREATE, Verb.REPLACE} and image.name in amis]

    def check(name: str) -> AmiCheck:
        return check_ami(amis[name], name, config.region, pools)

    with ThreadPoolExecutor(_MOST) as threads:
        found = dict(zip(names, threads.map(check, names), strict=True))
    refused = tuple(
        replace(image, refusals=(*image.refusals, *found[image.name].errors)) if image.name in found else image
        for image in images
    )
    return refused, tuple(dict.fromkeys(line for name in names for line in found[name].warnings))
