"""Shows on stderr how far images are: a bar on a terminal, else a line now and then."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click

from xio_slurm.images.making import ImageProgress

LINE_SECONDS: Final = 10.0
"""From one line to the next about an image that is at the same step."""

_SOON: Final = 2.0
"""The same, where the step is another one."""


@contextmanager
def shown() -> Iterator[Callable[[ImageProgress], None]]:
    """What to call with every progress; for one image or several side by side, from any thread."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from xio_slurm.commands.image_bars import bars  # noqa: PLC0415  only where somebody looks

    with bars() as show:
        yield show


class _Lines:
    """A line for a new step, and every ten seconds for one that lasts."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def __call__(self, now: ImageProgress) -> None:
        with self._lock:
            step, at = self._last.get(now.name, ("", 0.0))
            pause = LINE_SECONDS if step == now.step else _SOON
            if step and time.monotonic() - at < pause:
                return
            self._last[now.name] = (now.step, time.monotonic())
        click.echo(f"{now.name}: {now.step} ({now.seconds:.0f} s)", err=True)
