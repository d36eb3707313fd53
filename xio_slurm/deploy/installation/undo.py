"""What has been done so far, so that it can be undone: nothing of it is left where the rest fails."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from xio_slurm.deploy.installation import files
from xio_slurm.errors import DeployError


class Undo:
    """The way back, in reverse."""

    def __init__(self, steps: ExitStack, kept: Path) -> None:
        self._steps = steps
        self._kept = kept
        self._count = 0

    def by(self, act: Callable[[], object]) -> None:
        """Have this done if the rest fails. That it fails, too, mustn't hide why it was to be done."""

        def quietly() -> None:
            with suppress(OSError, DeployError):
                act()

        self._steps.callback(quietly)

    def restoring(self, path: Path) -> None:
        """Have the file be as it is now. Raises DeployError and OSError."""
        if files.look(path).content is None:
            self.by(path.unlink)
            return
        self._count += 1
        kept = self._kept / str(self._count)
        files.copy(path, kept)
        self.by(lambda: files.copy(kept, path))


@contextmanager
def undoing() -> Iterator[Undo]:
    """Undo what is done within if it ends by an exception."""
    with tempfile.TemporaryDirectory(prefix="xio-undo-") as kept, ExitStack() as steps:
        yield Undo(steps, Path(kept))
        steps.pop_all()
