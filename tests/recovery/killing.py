"""A process that is killed between two effects: from then on nothing of it reaches the world."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock


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
        """Every file that is replaced is an effect: a kill can come before its new content is there, or after."""
        replace = os.replace

        def replaced(*arguments: Any, **options: Any) -> None:
            self.effect()
            replace(*arguments, **options)
            self.effect()

        with mock.patch.object(os, "replace", replaced), mock.patch.object(os, "fsync"):
            yield
