"""A terminal's last line, where the seconds go on while nothing else is told."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self, TextIO

ERASE: Final = "\r\x1b[K"
"""Takes away what stands in a terminal's last line."""

_TICK: Final = 1.0


class Ticking:
    """Shows the seconds since it was entered; nothing where the stream is no terminal."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream if stream is not None and stream.isatty() else None
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        if self._stream is not None:
            threading.Thread(target=self._run, args=(time.monotonic(),), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        with self.erased():
            pass

    @contextmanager
    def erased(self) -> Iterator[None]:
        """Print in here what is to stay."""
        with self._lock:
            self._write(ERASE)
            yield

    def _run(self, began: float) -> None:
        while not self._ended.wait(_TICK):
            with self._lock:
                if not self._ended.is_set():
                    self._write(f"{ERASE}{time.monotonic() - began:7.1f} s  ...")

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:  # the terminal has gone, and what it was to show goes on
            self._stream = None
