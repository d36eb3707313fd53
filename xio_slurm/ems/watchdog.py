"""One thread that ends what takes too long on a connection, for all requests of a session.

A thread for each wait would nearly double what a request costs: it has two or three.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Thread
from time import monotonic
from typing import Any, Final

from msgspec import Struct

NAME: Final = "xio-watchdog"
"""Of the thread."""


class _Watch(Struct, eq=False):
    """Until when (on the monotonic clock) something may take, whose socket it is, and whether that was shut down."""

    end: float
    used: Callable[[], Any]
    cut: bool = False


class Watchdog:
    """Shuts sockets down whose time is over. Safe to use from many threads.

    Its thread starts with the first watch, and sleeps until the earliest end it knows of; only a watch that ends sooner
    wakes it. Who finds nothing to watch when he wakes, ends: the next watch starts another.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._watches: set[_Watch] = set()
        self._wakes = 0.0
        self._thread: Thread | None = None

    @contextmanager
    def in_time(self, seconds: float, used: Callable[[], Any]) -> Iterator[None]:
        """Shut down the socket that ``used`` tells when what is done in here isn't through after so many seconds.

        Raises TimeoutError then, whatever comes of it: ssl raises ValueError for a connection that ends under it, and
        http.client takes it for the end of the headers.
        """
        watch = _Watch(monotonic() + seconds, used)
        try:
            self._begin(watch)
            yield
        except Exception:
            self._end(watch)
            if watch.cut:
                raise TimeoutError from None
            raise
        finally:
            self._end(watch)
        if watch.cut:
            raise TimeoutError

    def close(self) -> None:
        """End the thread: at once, or when it next wakes where something is still watched."""
        with self._changed:
            self._changed.notify()

    def _begin(self, watch: _Watch) -> None:
        with self._changed:
            self._watches.add(watch)
            if self._thread is None:
                thread = Thread(target=self._run, name=NAME, daemon=True)
                thread.start()
                self._thread = thread
            elif watch.end < self._wakes:
                self._changed.notify()

    def _end(self, watch: _Watch) -> None:
        # Under the lock that a socket is shut down under: from now on the connection may be another request's.
        with self._changed:
            self._watches.discard(watch)

    def _run(self) -> None:
        with self._changed:
            while self._watches:
                self._wakes = min(each.end for each in self._watches)
                self._changed.wait(self._wakes - monotonic())
                now = monotonic()
                for watch in [each for each in self._watches if each.end <= now]:
                    self._watches.remove(watch)
                    watch.cut = True
                    with suppress(OSError, AttributeError):  # closed meanwhile, or not made yet
                        watch.used().shutdown(socket.SHUT_RDWR)
            self._thread = None
