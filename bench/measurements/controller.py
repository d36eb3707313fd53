"""Slurm's nodes read and changed through each backend, on a real slurmctld: scontrol, and pyslurm where it fits."""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import structs

from bench.cluster import cluster
from bench.figures import Asked, Backend
from bench.timing import Say
from xio_slurm.lab import Lab
from xio_slurm.manifest import Manifest
from xio_slurm.slurm.controller import Controller, controller
from xio_slurm.slurm.hostlist import CHUNK
from xio_slurm.slurm.pyslurm_controller import PyslurmController

_SIZES: Final = (100, 1_000, 5_000)
_TIMES: Final = 9
_BACKENDS: Final[tuple[Backend, ...]] = ("scontrol", "pyslurm")


def measure(quick: bool, say: Say) -> Iterator[Asked]:
    """Each question in a cluster of each size. ``quick``: the smallest, and few times."""
    for size in _SIZES[:1] if quick else _SIZES:
        with cluster({"p": size}) as lab:
            for backend in _BACKENDS:
                yield from _through(backend, lab, size, 3 if quick else _TIMES, say)


def _through(backend: Backend, lab: Lab, size: int, times: int, say: Say) -> Iterator[Asked]:
    manifest = structs.replace(Manifest.read(str(lab.layout.manifest)), slurm_backend=backend)
    began = time.monotonic()
    asked = controller(manifest, slurm_conf=str(lab.layout.slurm_conf))
    if backend == "pyslurm" and not isinstance(asked, PyslurmController):
        say(f"{size} nodes through pyslurm: not measured, it isn't installed or doesn't fit this Slurm")
        return
    asked.every_node()
    first = time.monotonic() - began
    figures = {
        "the first look": first,
        "a look at all nodes": _median(asked.every_node, times),
        f"addresses of {min(size, CHUNK)} nodes": _median(lambda: _tell(asked, size), times),
    }
    for what, seconds in figures.items():
        say(f"{size} nodes through {backend}: {what}: {seconds * 1000:.1f} ms")
        yield Asked(backend, what, size, seconds)


def _median(work: Callable[[], object], times: int) -> float:
    return statistics.median(_seconds(work) for _ in range(times))


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _tell(asked: Controller, size: int) -> None:
    asked.set_addresses({f"xspot-vm-p-{number}": "127.0.0.2" for number in range(1, min(size, CHUNK) + 1)})
