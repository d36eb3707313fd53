"""A clock that only the model moves: a sleeper moves it, and the world goes on meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

_START = 1_700_000_000.0


class Clock:
    """Seconds since the world began, and the wall clock, which somebody may set."""

    def __init__(self) -> None:
        self.now = 0.0
        self.skew = self.fastest = 0.0
        self._passing: list[Callable[[], None]] = []

    def each_second(self, happen: Callable[[], None]) -> None:
        """What happens in the world by itself."""
        self._passing.append(happen)

    def jump(self, seconds: float) -> None:
        """Somebody sets it."""
        self.skew += seconds
        self.fastest = max(self.fastest, self.skew)

    def wall(self) -> float:
        """Seconds since 1970, as this host has it."""
        return _START + self.now + self.skew

    def _monotonic(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 1.0)
            for happen in self._passing:
                happen()

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Every clock of this process is this one."""
        ours = threading.Lock()

        def sleep(seconds: float) -> None:
            with ours:
                self.advance(max(seconds, 0.01))

        with (
            mock.patch.object(time, "time", self.wall),
            mock.patch.object(time, "monotonic", self._monotonic),
            mock.patch.object(time, "sleep", sleep),
        ):
            yield
