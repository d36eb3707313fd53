"""The breakers of all pools, where every process and both controllers find them: ``<state folder>/pools/``.

A file a pool, replaced as a whole under one lock for all: they are few, and change seldom. A pool without a file
is open, and so is one whose file can't be read: a breaker that stands in the way of every job is worse than none.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from xio_slurm.deadline import Deadline
from xio_slurm.errors import LedgerError, LedgerUnusable
from xio_slurm.power.breaker import EVERY_POOL, Breaker
from xio_slurm.power.situation import Gate
from xio_slurm.private_files import replace_file

log = logging.getLogger("xio_slurm")

_EVERY_POOL_FILE: Final = "_every-pool"
_VERSION: Final = 1


class Breakers:
    """Reads and changes the breakers under a state folder."""

    def __init__(self, state_dir: str) -> None:
        self._folder = Path(state_dir) / "pools"

    def read(self) -> Mapping[str, Breaker]:
        """Every breaker that isn't as at first, by its pool; ``EVERY_POOL`` is that of the EMS."""
        breakers: dict[str, Breaker] = {}
        for path in sorted(self._folder.glob("*.json")):
            try:
                breaker = _parsed(path.read_text(encoding="utf-8"))
            except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                log.warning("%s: can't be read (%s): the pool counts as open", path, type(error).__name__)
                continue
            breakers[breaker.pool] = breaker
        return breakers

    def change(self, pool: str, change: Callable[[Breaker], Breaker], deadline: Deadline) -> tuple[Breaker, Breaker]:
        """Change a pool's breaker as it stands now; how it was, and how it is. Raises LedgerError."""
        with self._locked(deadline):
            before = self.read().get(pool, Breaker(pool))
            after = change(before)
            if after != before:
                path = self._folder / f"{pool or _EVERY_POOL_FILE}.json"
                if after == Breaker(pool):
                    with suppress(FileNotFoundError):
                        path.unlink()
                else:
                    replace_file(path, json.dumps({"version": _VERSION, **asdict(after), "gate": after.gate.name}))
            return before, after

    @contextmanager
    def _locked(self, deadline: Deadline) -> Iterator[None]:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(self._folder / "lock", mode=0o600)
            lock.acquire(timeout=deadline.left(), poll_interval=0.02)
        except Timeout as error:
            raise LedgerError(f"{self._folder}: another program still holds the lock") from error
        except OSError as error:
            raise LedgerUnusable(f"{self._folder}: can't be used: {error.strerror}") from error
        try:
            yield
        finally:
            lock.release()


def gate_of(breakers: Mapping[str, Breaker], pool: str) -> Breaker:
    """The breaker that counts for a pool: that of the EMS while it is closed, else the pool's own."""
    every = breakers.get(EVERY_POOL)
    if every is not None and every.gate is Gate.CLOSED:
        return every
    return breakers.get(pool, Breaker(pool))


def _parsed(text: str) -> Breaker:
    document = json.loads(text)
    if document.pop("version") != _VERSION:
        raise ValueError("version")
    return Breaker(**{**document, "gate": Gate[document["gate"]]})
