"""The looks and writes that replace an image, each as certain as the EMS's answers let it be.

A look whose answer is lost is repeated. A write counts as done when a look says so, whatever its answer was; one that
is refused gives the reason back, since the caller may know another way.
"""

import time
from collections.abc import Callable
from typing import Final

from xio_slurm.deadline import Deadline
from xio_slurm.ems.documents import IMAGES, Document, Documents
from xio_slurm.errors import EmsError, EmsRefused, EmsUnreachable
from xio_slurm.images.replacement import UNTOLD
from xio_slurm.images.stage import is_finished

_TRIES: Final = 3
"""How often a write is sent whose answer is lost or a server's own error, and its effect looked for."""

_LATER: Final = frozenset({408, 429})
"""Refusals that mean the moment, and not the request."""


def ami_of(image: Document) -> str:
    """The AMI that an image says it was made from."""
    ami = image.get("ImageId")
    return ami if isinstance(ami, str) else UNTOLD


class ImageSteps:
    """Steps with images of one EMS until a deadline. ``tell`` gets what is being done. All methods raise EmsError."""

    def __init__(
        self, images: Documents, *, tell: Callable[[str], None], poll_seconds: float, deadline: Deadline
    ) -> None:
        self._images = images
        self._tell = tell
        self._poll_seconds = poll_seconds
        self._deadline = deadline

    def get(self, name: str) -> Document | None:
        """The image, or None where there is none; asked again while answers are lost, and a few times if odd."""
        odd = 0
        while True:
            try:
                return self._images.get(name, self._deadline)
            except EmsError as error:
                odd += not isinstance(error, EmsUnreachable)
                self._tell(f"no good answer now: {error}")
                self._pause()
                if odd == _TRIES or self._deadline.passed():
                    raise

    def rename(self, old: str, new: str) -> str | None:
        """Give an image another name, which none has. Why the EMS doesn't, or None when it did."""
        self._tell(f"renaming {old} to {new}")
        found = self.get(old)
        if found is not None and not found.get("Id"):
            return "its images have no Id"
        return self._gone(old, lambda image: self._images.update({**image, IMAGES.name_key: new}, self._deadline))

    def delete(self, name: str, *, unless_of: str | None = None) -> str | None:
        """Delete an image. Why the EMS doesn't, or None when it did, or when by now the image is of ``unless_of``."""
        self._tell(f"deleting {name}")
        return self._gone(name, lambda _: self._images.delete(name, self._deadline), unless_of=unless_of)

    def _gone(self, name: str, write: Callable[[Document], None], *, unless_of: str | None = None) -> str | None:
        """Write until there is no image of this name. Looks that fail are raised: they say nothing about the write."""
        failed: EmsError | None = None
        for _ in range(_TRIES):
            found = self.get(name)
            if found is None or (ami_of(found) == unless_of and is_finished(found)):
                return None
            try:
                write(found)
            except EmsRefused as error:
                if 400 <= error.status < 500 and error.status not in _LATER:
                    return str(error)
                failed = error
            except EmsError as error:
                failed = error
            else:
                return None if self._goes(name) else f"it said yes, but {name} is still there"
            self._pause()
        if failed is None or self.get(name) is None:
            return None
        if isinstance(failed, EmsRefused) and failed.status >= 500:
            return str(failed)
        raise failed

    def _goes(self, name: str) -> bool:
        for _ in range(_TRIES):
            if self.get(name) is None:
                return True
            self._pause()
        return False

    def _pause(self) -> None:
        time.sleep(min(self._poll_seconds, self._deadline.left()))
