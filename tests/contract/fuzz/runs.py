"""The runs of one command: how many, and how one that failed is repeated alone."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Final

import pytest

from tests.contract.fuzz.calling import Called

RUNS: Final = int(os.environ.get("XIO_FUZZ_RUNS", "500"))
"""Of each command. A long proof: ``XIO_FUZZ_RUNS=2000 bin/test -n 4 tests/contract/fuzz`` (ten minutes of a core)."""

BLOCKS: Final = 8
"""Tests that the runs of a command are spread over, so that none takes long."""

_ALONE: Final = "XIO_FUZZ_RUN"
"""The environment variable with the number of a run to be repeated alone."""


def each_block(test: Callable[..., None]) -> Callable[..., None]:
    """A test for each block."""
    of_blocks: Callable[..., None] = pytest.mark.parametrize("block", range(BLOCKS))(test)
    return of_blocks


def numbers(block: int) -> Iterator[int]:
    """The numbers of a block's runs."""
    alone = os.environ.get(_ALONE)
    of_block = range(block, RUNS, BLOCKS)
    return (number for number in of_block if alone is None or int(alone) == number)


class Told:
    """What a run has called so far."""

    def __init__(self) -> None:
        self.calls: list[Called] = []

    def add(self, called: Called) -> Called:
        """Note a call."""
        self.calls.append(called)
        return called


@contextmanager
def one_run(command: str, number: int) -> Iterator[tuple[Random, Told]]:
    """One run: its generator, and where its calls are noted. A failure says how to repeat it, and what was called."""
    told = Told()
    try:
        yield Random(f"{command} {number}"), told
    except BaseException as error:
        error.add_note(f"{command}: run {number}; {_ALONE}={number} repeats it alone")
        for called in told.calls:
            terminal = " on a terminal" if called.terminal else ""
            error.add_note(f"$ xio {' '.join(called.arguments)}{terminal} → {called.code}")
            error.add_note(f"  out {called.out[-3000:]!r}\n  err {called.err[-3000:]!r}")
        raise
