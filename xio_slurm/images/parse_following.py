"""One parse job, from its beginning to its end, through lost answers and odd ones."""

import time
from collections.abc import Callable, Iterator
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.ems.documents import Documents
from xio_slurm.ems.parse_jobs import NewImage, ParseJobs, ParseState, error_code
from xio_slurm.errors import EmsError, EmsRefused, EmsUnreachable, EmsUnreadable, ImageError
from xio_slurm.images.parse_words import LOGS, why_failed, without_key
from xio_slurm.images.replacement import UNTOLD
from xio_slurm.images.steps import ami_of

LOST_SECONDS: Final = 900.0
"""How long a parse whose beginning was never answered may take until its image is there."""

_SETTLE_POLLS: Final = 5
"""Looks until an image is there whose job is done, or a job is known that has begun."""

_ODD_ANSWERS: Final = 5
"""Answers in a row that are none of a parse job, after which it is given up."""


def pauses(first: float, deadline: Deadline) -> Iterator[None]:
    """Yields at once, then after pauses that grow from ``first`` seconds to ten times that, until the deadline."""
    pause = first
    yield
    while not deadline.passed():
        time.sleep(min(pause, deadline.left()))
        if deadline.passed():
            return
        yield
        pause = min(1.5 * pause, 10 * first)


class Parsing:
    """Begins parse jobs and follows them. ``tell`` gets what is being done, at every look."""

    def __init__(self, jobs: ParseJobs, images: Documents, *, tell: Callable[[str], None], poll_seconds: float) -> None:
        self._jobs = jobs
        self._images = images
        self._tell = tell
        self._poll_seconds = poll_seconds

    def run(self, image: NewImage, deadline: Deadline) -> None:
        """Make an image of a name that none has. Raises EmsError or ImageError."""
        self._tell(f"asking the EMS to parse {image.ami}")
        try:
            job = self._jobs.start(image, deadline)
        except EmsRefused as error:
            said = without_key(str(error), image.key)
            code = error_code(said)
            raise ImageError(f"image {image.name}: {why_failed(image, code, said)}") from None
        except (EmsUnreachable, EmsUnreadable) as error:
            if isinstance(error, EmsUnreachable) and not error.sent:
                raise
            self._await_lost(image, without_key(str(error), image.key), deadline)
            return
        self._follow(image, job, deadline)

    def _await_lost(self, image: NewImage, why: str, deadline: Deadline) -> None:
        """The request's answer was lost: the image's coming says that a job runs, and nothing else does."""
        waited = deadline.sooner(LOST_SECONDS)
        for _ in pauses(self._poll_seconds, waited):
            self._tell("looking for the image, since the answer to the request was lost")
            if self._is_there(image, deadline):
                return
        raise ImageError(
            f"image {image.name}: the answer to its request was lost ({why}), and no image of that name has come: "
            "the same command again goes on from what there is then"
        )

    def _follow(self, image: NewImage, job: str, deadline: Deadline) -> None:
        odd = unknown = 0
        last = ""
        for _ in pauses(self._poll_seconds, deadline):
            self._tell(f"parse job {job} of {image.ami} is running{last}")
            try:
                state = self._jobs.look(job, deadline)
            except EmsUnreachable as error:
                last = f"; no answer now: {error}"
                continue
            except EmsError as error:
                odd += 1
                if odd == _ODD_ANSWERS:
                    raise ImageError(f"image {image.name}: parse job {job} can't be followed: {error}") from error
                last = f"; an odd answer now: {error}"
                continue
            odd, last = 0, ""
            if state.state == "unknown":
                unknown += 1
            if self._has_ended(image, job, state, deadline, give_up=unknown == _SETTLE_POLLS):
                return
        raise ImageError(
            f"image {image.name}: parse job {job} hasn't ended in time{last}: look whether it still does with "
            f"'xio image show {image.name}', else read the logs under {LOGS} on the EMS; "
            "the same command again goes on from what there is then"
        )

    def _has_ended(self, image: NewImage, job: str, state: ParseState, deadline: Deadline, *, give_up: bool) -> bool:
        if state.state == "done":
            self._settle(image, job, deadline)
            return True
        if state.state == "running":
            return False
        # Two jobs of one name, one of them of an earlier run: whichever was first has made the image.
        if self._is_there(image, deadline):
            return True
        said = without_key(state.said, image.key)
        if state.state == "failed":
            raise ImageError(f"image {image.name}: parse job {job}: {why_failed(image, state.code, said)}")
        if give_up:
            raise ImageError(
                f"image {image.name}: the EMS knows no parse job {job} any more ({said}), and there is no image of "
                f"that name: read the logs under {LOGS} on the EMS, or run the same command again"
            )
        return False

    def _settle(self, image: NewImage, job: str, deadline: Deadline) -> None:
        for count, _ in enumerate(pauses(self._poll_seconds, deadline), 1):
            if self._is_there(image, deadline):
                return
            if count == _SETTLE_POLLS:
                break
        raise ImageError(
            f"image {image.name}: parse job {job} is done, but the EMS has no image of that name and {image.ami}: "
            f"look at 'xio image list', and at the logs under {LOGS} on the EMS"
        )

    def _is_there(self, image: NewImage, deadline: Deadline) -> bool:
        try:
            found = self._images.get(image.name, deadline)
        except EmsError as error:
            self._tell(f"looking for the image; no good answer now: {error}")
            return False
        return found is not None and ami_of(found) in (image.ami, UNTOLD)
