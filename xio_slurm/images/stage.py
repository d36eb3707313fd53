"""How far an image on the EMS is, by what its document says. Pure.

Whether an image is listed before its parse job has ended, and how its document tells that, is not known. What says
nothing, or something that isn't understood, counts as finished: else no image ever would be on some EMS.
"""

import re
from collections.abc import Iterator
from typing import Final, Literal

from xio_slurm.ems.documents import Document
from xio_slurm.plain_text import one_line, shortened

Stage = Literal["under way", "failed", "finished"]

_KEY: Final = re.compile(r"(image|parse|job)?_?(status|state)", re.IGNORECASE)
_WORD: Final = re.compile(r"[a-z]+")
_UNDER_WAY: Final = frozenset({"inprogress", "new", "notready", "queued", "scheduled", "started", "submitted"})
_FAILED: Final = re.compile(r"(?!no|without).*(fail|error|abort|cancel|timedout|timeout|invalid|corrupt)")
_LENGTH: Final = 40


def stage_of(image: Document) -> Stage:
    """The stage that the document tells; of two that contradict each other, the worse one."""
    stages = {_stage(told) for told in _told(image)}
    return "failed" if "failed" in stages else "under way" if "under way" in stages else "finished"


def is_finished(image: Document) -> bool:
    """Whether VMs can start from the image, as far as its document tells."""
    return stage_of(image) == "finished"


def told_stage(image: Document) -> str:
    """The EMS's own word for an image that isn't finished, for messages; empty for one that is."""
    words = (told for told in _told(image) if _stage(told) != "finished")
    return shortened(one_line(next(words, "")), _LENGTH)


def _told(image: Document) -> Iterator[str]:
    return (value for key, value in image.items() if _KEY.fullmatch(key) and isinstance(value, str))


def _stage(told: str) -> Stage:
    words = _WORD.findall(told.lower())
    together = "".join(words)
    if _FAILED.match(together):
        return "failed"
    if together in _UNDER_WAY or any(word.endswith("ing") for word in words):
        return "under way"
    return "finished"
