"""``bin/bench``: takes the measurements and writes the page. Exit code 1 where one couldn't be taken."""

import argparse
import importlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from types import FrameType
from typing import Any, Final

from bench import machine, page
from bench.results import Result
from bench.timing import BenchError, Say
from xio_slurm.errors import XioError

_LONGEST: Final = 25 * 60
"""Seconds of the whole run."""

_IN_TURN: Final = sorted(page.SECTIONS, key=lambda name: name == "vms")
"""The longest comes last, so that a slow machine loses no other to the time limit."""

_Measure = Callable[[bool, Say], Iterator[Any]]


def main() -> int:
    """Take what was asked for, one after the other; each result and the page are written as soon as it is there."""
    arguments = _arguments()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, _interrupt)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.alarm(_LONGEST)
    failed = False
    try:
        for name in () if arguments.page else arguments.names or _IN_TURN:
            failed |= not _take(name, quick=arguments.quick)
    except KeyboardInterrupt:
        print("\nbench: interrupted, or 25 minutes were over; what was measured by then is written", file=sys.stderr)
        return 130
    page.write()
    return int(failed)


def _take(name: str, *, quick: bool) -> bool:
    print(f"== {name}", flush=True)
    measure: _Measure = importlib.import_module(f"bench.measurements.{name}").measure
    began = time.monotonic()
    try:
        rows = [asdict(row) for row in measure(quick, lambda line: print(f"   {line}", flush=True))]
    except (BenchError, XioError) as error:
        print(f"bench: {name}: {error}", file=sys.stderr)
        return False
    Result(name, quick, round(time.monotonic() - began, 1), machine.kind(), rows).write()
    page.write()
    return True


def _arguments() -> argparse.Namespace:
    names = ", ".join(page.SECTIONS)
    parser = argparse.ArgumentParser(
        "bin/bench",
        description="Measures xio-slurm beside what could be had at best, and writes docs/performance.md from the"
        " results. The machine should do nothing else meanwhile. All of it takes at most 25 minutes.",
        epilog="Exit code 0: all was measured; 1: something couldn't be, and a line says why.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {names}; without it all of them")
    parser.add_argument("--quick", action="store_true", help="few nodes, few repetitions: to try the measuring itself")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page from the results")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in page.SECTIONS:
            parser.error(f"{name}: there is no such measurement: {names}")
    return arguments


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
