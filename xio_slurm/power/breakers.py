"""The breakers of all pools, where every process and both controllers find them: ``<state folder>/pools/``.

A file a pool, replaced as a whole under one lock for all: they are few, and change seldom. A pool without a file
is open, and so is one whose file can't be read: a breaker that stands in the way of every job is worse than none.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from xio_slurm.deadline import Deadline
from xio_slurm.errors import LedgerError, LedgerUnusable
from xio_slurm.lock_file import lock
from xio_slurm.manifest import Recovery
from xio_slurm.power.breaker import EVERY_POOL, Breaker, in_time
from xio_slurm.power.situation import Gate
from xio_slurm.private_files import replace_file

log = logging.getLogger("xio_slurm")

_EVERY_POOL_FILE: Final = "_every-pool"


class Breakers:
    """Reads and changes the breakers under a state folder."""

    def __init__(self, state_dir: str) -> None:
        self._folder = Path(state_dir) / "pools"
        self._told: set[Path] = set()

    def read(self) -> Mapping[str, Breaker]:
        """Every breaker that isn't as at first, by its pool; ``EVERY_POOL`` is that of the EMS."""
        names = sorted(path.stem for path in self._folder.glob("*.json"))
        found = (self._read(EVERY_POOL if name == _EVERY_POOL_FILE else name) for name in names)
        return {breaker.pool: breaker for breaker in found if breaker != Breaker(breaker.pool)}

    def now(self, now: float, limits: Recovery) -> Mapping[str, Breaker]:
        """The same after what time has done to them. ``now`` in seconds since 1970."""
        return {pool: in_time(breaker, now, limits) for pool, breaker in self.read().items()}

    def change(self, pool: str, change: Callable[[Breaker], Breaker], deadline: Deadline) -> tuple[Breaker, Breaker]:
        """Change a pool's breaker as it stands now; how it was, and how it is. Raises LedgerError."""
        with self._locked(deadline):
            before = self._read(pool)
            after = change(before)
            if after == Breaker(pool):
                self._remove(pool)
            elif after != before:
                replace_file(self._path(pool), msgspec.json.encode(after))
            return before, after

    def _path(self, pool: str) -> Path:
        return self._folder / f"{pool or _EVERY_POOL_FILE}.json"

    def _read(self, pool: str) -> Breaker:
        path = self._path(pool)
        try:
            return _parsed(path.read_bytes(), pool)
        except FileNotFoundError:
            self._told.discard(path)
        except (OSError, ValueError, RecursionError) as error:
            if path not in self._told:
                log.warning("%s: can't be read (%s): the pool counts as open", path, type(error).__name__)
            self._told.add(path)
        return Breaker(pool)

    def _remove(self, pool: str) -> None:
        # Also where it couldn't be read.
        path = self._path(pool)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise LedgerError(f"{path}: can't be removed: {error.strerror}") from error

    @contextmanager
    def _locked(self, deadline: Deadline) -> Iterator[None]:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            held = lock(self._folder / "lock", deadline)
        except OSError as error:
            raise LedgerUnusable(f"{self._folder}: can't be used: {error.strerror}") from error
        if held is None:
            raise LedgerError(f"{self._folder}: another program still holds the lock")
        try:
            yield
        finally:
            held.release()


def gate_of(breakers: Mapping[str, Breaker], pool: str) -> Breaker:
    """The breaker that counts for a pool: that of the EMS while it is closed, else the pool's own."""
    every = breakers.get(EVERY_POOL)
    if every is not None and every.gate is Gate.CLOSED:
        return every
    return breakers.get(pool, Breaker(pool))


def _parsed(text: bytes, pool: str) -> Breaker:
    breaker = msgspec.json.decode(text, type=Breaker)
    if breaker.pool != pool:
        raise ValueError(f"of pool {breaker.pool}")
    return breaker
