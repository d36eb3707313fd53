"""A process that is killed between two effects: from then on nothing of it reaches the world."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from xio_slurm.private_files import append_line


class Killed(BaseException):
    """SIGKILL: nothing catches it."""


class Life:
    """How many effects the running program may still have; None: as many as it likes."""

    def __init__(self) -> None:
        self._left: int | None = None
        self.dead = False

    def begin(self, effects: int | None) -> None:
        """A program starts."""
        self._left, self.dead = effects, False

    def effect(self) -> None:
        """Called before and after each effect. Raises Killed when the time has come."""
        if self._left is not None:
            self._left -= 1
            self.dead = self.dead or self._left < 0
        if self.dead:
            raise Killed

    @contextmanager
    def of_files(self) -> Iterator[None]:
        """Every file that is replaced is an effect, and every line of the ledger: a kill can come before it or after.

        A line is cut off by one that comes after it, as by a machine that loses power.
        """
        replace = os.replace

        def replaced(*arguments: Any, **options: Any) -> None:
            self.effect()
            replace(*arguments, **options)
            self.effect()

        def added(path: Path, line: bytes, *, most: int) -> bool:
            self.effect()
            done = append_line(path, line, most=most)
            try:
                self.effect()
            except Killed:
                if done:
                    os.truncate(path, path.stat().st_size - len(line) // 2)
                raise
            return done

        with (
            mock.patch.object(os, "replace", replaced),
            mock.patch.object(os, "fsync"),
            mock.patch("xio_slurm.ledger.append_line", added),
        ):
            yield
