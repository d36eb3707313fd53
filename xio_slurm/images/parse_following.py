"""One parse job, from its beginning to its end, through lost answers and odd ones."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final, Literal

from xio_slurm.deadline import Deadline
from xio_slurm.ems.documents import Documents
from xio_slurm.ems.parse_jobs import IMAGE_EXISTS, NewImage, ParseJobs, ParseState, error_code
from xio_slurm.errors import EmsError, EmsRefused, EmsUnreachable, EmsUnreadable, ImageError
from xio_slurm.images.parse_words import LOGS, exists_unlisted, why_failed, without_key
from xio_slurm.images.replacement import NEXT_SUFFIX, UNTOLD
from xio_slurm.images.stage import stage_of, told_stage
from xio_slurm.images.steps import ami_of

LOST_SECONDS: Final = 900.0
"""How long a parse may take whose job nobody knows: its beginning was never answered, or another run began it."""

_SETTLE_POLLS: Final = 5
"""Looks until an image is there whose job is done, or a job is known that has begun."""

_ODD_ANSWERS: Final = 5
"""Answers in a row that are none of a parse job, after which it is given up."""

Sight = Literal["none", "ours", "untold", "another's", "under way", "failed", "no answer"]
"""What a look at the name of an image that is being made found: none; a finished one of our AMI, or of one that isn't
told; one of another AMI; one that isn't finished and may be ours."""


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
            self._after_failure(image, error_code(said), said, f"image {image.name}", deadline)
        except (EmsUnreachable, EmsUnreadable) as error:
            if isinstance(error, EmsUnreachable) and not error.sent:
                raise
            self._await_lost(image, without_key(str(error), image.key), deadline)
        else:
            self._follow(image, job, deadline)

    def finish(self, name: str, deadline: Deadline) -> None:
        """Wait while an image is under way that this run didn't begin. Raises ImageError where that doesn't end."""
        told = ""
        for _ in pauses(self._poll_seconds, deadline.sooner(LOST_SECONDS)):
            try:
                found = self._images.get(name, deadline)
            except EmsError as error:
                self._tell(f"waiting for {name}; no good answer now: {error}")
                continue
            if found is None or stage_of(found) != "under way":
                return
            told = told_stage(found)
            self._tell(f"waiting for {name}, whose parse was begun before: the EMS says {told!r}")
        state = f"the EMS says {told!r} of it, and that" if told else "its parse was begun before, and"
        raise ImageError(
            f"image {name}: {state} hasn't ended in time: the same command again goes on "
            f"waiting; if nobody makes it any more, 'xio image delete {name}' clears it"
        )

    def _await_lost(self, image: NewImage, why: str, deadline: Deadline) -> None:
        """The request's answer was lost: the image's coming says that a job runs, and nothing else does."""
        waited = deadline.sooner(LOST_SECONDS)
        for _ in pauses(self._poll_seconds, waited):
            self._tell("looking for the image, since the answer to the request was lost")
            sight = self._look(image, deadline)
            if sight in {"ours", "untold"}:
                return
            if sight == "failed":
                raise ImageError(f"image {image.name}: its parse has failed: read the logs under {LOGS} on the EMS")
        raise ImageError(
            f"image {image.name}: the answer to its request was lost ({why}), and no finished image of that name has "
            "come: the same command again goes on from what there is then"
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
        said = without_key(state.said, image.key)
        if state.state == "failed":
            self._after_failure(image, state.code, said, f"image {image.name}: parse job {job}", deadline)
            return True
        sight = self._look(image, deadline)
        if sight in {"ours", "untold"}:
            return True
        if give_up and sight == "under way":
            self.finish(image.name, deadline)
            self._settle(image, job, deadline)
            return True
        if give_up:
            raise ImageError(
                f"image {image.name}: the EMS knows no parse job {job} any more ({said}), and there is no finished "
                f"image of that name: read the logs under {LOGS} on the EMS, or run the same command again"
            )
        return False

    def _settle(self, image: NewImage, job: str, deadline: Deadline) -> None:
        sight = self._settled(image, {"ours", "untold", "failed"}, deadline)
        if sight == "under way":
            self.finish(image.name, deadline)
            sight = self._look(image, deadline)
        if sight in {"ours", "untold"}:
            return
        lists = "says that it has failed" if sight == "failed" else f"has no image of that name and {image.ami}"
        raise ImageError(
            f"image {image.name}: parse job {job} is done, but the EMS {lists}: "
            f"look at 'xio image list', and at the logs under {LOGS} on the EMS"
        )

    def _after_failure(self, image: NewImage, code: int | None, said: str, where: str, deadline: Deadline) -> None:
        """Raise ImageError for a failed job, but where a run before, or another one, has made just this image."""
        if code != IMAGE_EXISTS:
            left = self._clear_own(image, deadline)
            raise ImageError(f"{where}: {why_failed(image, code, said)}{left}") from None
        sight = self._settled(image, {"ours", "untold", "another's", "under way", "failed"}, deadline)
        if sight == "under way":
            self.finish(image.name, deadline)
            sight = self._look(image, deadline)
        if sight == "none":
            raise ImageError(f"{where}: {exists_unlisted(image)}") from None
        if sight != "ours":
            raise ImageError(f"{where}: {why_failed(image, code, said)}") from None

    def _clear_own(self, image: NewImage, deadline: Deadline) -> str:
        """What a failed job of ours has left under its name, in words. The name was free, or the failure were a 201."""
        if self._look(image, deadline) not in {"ours", "under way", "failed"}:
            return ""
        if image.name.endswith(NEXT_SUFFIX):
            with suppress(EmsError):
                self._images.delete(image.name, deadline)
                return ""
        return f"; the EMS lists it all the same: 'xio image delete {image.name}' clears it"

    def _settled(self, image: NewImage, enough: set[Sight], deadline: Deadline) -> Sight:
        sight: Sight = "no answer"
        for count, _ in enumerate(pauses(self._poll_seconds, deadline), 1):
            sight = self._look(image, deadline)
            if sight in enough or count == _SETTLE_POLLS:
                break
        return sight

    def _look(self, image: NewImage, deadline: Deadline) -> Sight:
        try:
            found = self._images.get(image.name, deadline)
        except EmsError as error:
            self._tell(f"looking for the image; no good answer now: {error}")
            return "no answer"
        if found is None:
            return "none"
        ami = ami_of(found)
        if ami not in (image.ami, UNTOLD):
            return "another's"
        stage = stage_of(found)
        return stage if stage != "finished" else "ours" if ami == image.ami else "untold"
